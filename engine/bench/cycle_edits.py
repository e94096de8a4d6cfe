"""Edits of a picture that are drafted and then undone: the only ones of a single picture whose true result is known.

They are made as the refinement's training samples are, but with other seeds, so that none of them was ever trained on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from bench.lpips import LPIPS
from underdrawing.draft.refiner_input import CONFIDENCE
from underdrawing.picture.primitive import Primitive
from underdrawing.store.manifest import CHECKPOINT_FILE
from underdrawing.train.base_run import without_prefix
from underdrawing.train.methods.refine.networks import Refiner
from underdrawing.train.methods.refine.samples import TrainingSample, cycle_sample

COUNT = 24
FIRST_SEED = 1 << 20  # far from those of trainings
UNSURE = 0.6  # confidence of the draft


def undone(picture: np.ndarray, primitive: Primitive, model: Path, lpips: LPIPS) -> dict[str, float]:
    """LPIPS of undone edits, over everything and where the way back is unsure.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        primitive: its own.
        model: folder of a model that drafts; where it was trained to refine, that is done, too.
        lpips: the measure.
    """
    checkpoint = model / CHECKPOINT_FILE
    network: Refiner | None = None
    if checkpoint.is_file():
        network = Refiner().eval()
        averaged = without_prefix("averaged", load_file(checkpoint))
        network.load_state_dict({name: value for name, value in averaged.items() if name != "steps"})
    everywhere, where_unsure = [], []
    for number in range(COUNT):
        sample = cycle_sample(picture, primitive, np.random.default_rng(FIRST_SEED + number))
        distance, places = lpips.distances(_made(sample, network), picture)
        everywhere.append(distance)
        unsure = sample.hints[CONFIDENCE] < UNSURE
        if unsure.any():
            where_unsure.append(float(places[unsure].mean()))
    return {
        "undone": float(np.mean(everywhere)),
        "undone_unsure": float(np.mean(where_unsure)) if where_unsure else float("nan"),
    }


@torch.no_grad()
def _made(sample: TrainingSample, network: Refiner | None) -> np.ndarray:
    hints = sample.hints.astype(np.float32)
    height, width = hints.shape[1:]
    if network is None:
        made = hints[:3]
    else:
        extra = ((0, 0), (0, -height % network.stride), (0, -width % network.stride))
        padded = torch.from_numpy(np.pad(hints, extra, mode="edge"))[None]
        made = network(padded)[0, :, :height, :width].numpy()
    return np.ascontiguousarray((made.transpose(1, 2, 0) / 2 + 0.5).clip(0, 1), np.float32)
