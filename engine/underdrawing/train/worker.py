"""The worker process: trains one model. The only door to training, and so to torch."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import torch

from underdrawing.store.worker_pipe import Context, serve
from underdrawing.train.job import train
from underdrawing.train.method import describe as describe_method
from underdrawing.train.methods import everything


def describe(args: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Which methods there are, with their recipes, and where they can train."""
    devices = [{"name": "CPU", "kind": "cpu"}]
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        devices.append({"name": torch.cuda.get_device_name(number), "kind": "cuda"})
    return {"methods": [describe_method(method) for method in everything().values()], "devices": devices}


if __name__ == "__main__":
    # Painting goes before training: the host's own threads come first where processors are short.
    if hasattr(os, "nice"):
        os.nice(5)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    serve({"train": train, "describe": describe})
