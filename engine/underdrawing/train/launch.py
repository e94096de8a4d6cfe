"""Train a folder's model over several processes, machines or graphics cards, by PyTorch's own launcher.

    torchrun --nproc-per-node 2 -m underdrawing.train.launch FOLDER -o lakes.underdrawing --iterations 28000

Each process trains on its part of every batch, and all take the same steps. The checkpoint lies beside the result, on a
disk that all of them see; the same command goes on from it after a kill, with any number of processes. The file is
taken into a library with `underdrawing models import`.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from underdrawing.client.key_values import options_of
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import read_picture
from underdrawing.picture.folder import pictures_in, reduced, sheet_of
from underdrawing.store import model_archive
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.manifest import Manifest
from underdrawing.store.model_library import new_identity
from underdrawing.train.distributed import Team, gathered
from underdrawing.train.job import train


class TerminalListener:
    """A training's events on standard error; only the process that leads speaks."""

    def __init__(self, team: Team) -> None:
        self.team = team

    def event(self, kind: str, **fields: Any) -> None:
        """A line for what people wait for; the rest is for engines."""
        if not self.team.leads:
            return
        if kind == "note":
            print(f"• {fields['text']}", file=sys.stderr)
        elif kind == "progress" and fields.get("iteration"):
            losses = ", ".join(f"{name} {value:.3g}" for name, value in fields["losses"].items())
            print(f"{fields['iteration']} of {fields['iterations']}, {losses}", file=sys.stderr)

    def wanted(self) -> str | None:
        """Nobody asks from elsewhere."""
        return None


def launch(words: Sequence[str]) -> None:
    """One of the processes.

    Raises:
        EngineError: why the training failed.
        ValueError: it was not started by `torchrun`.
    """
    parser = argparse.ArgumentParser(prog="underdrawing.train.launch", description="Train a folder's model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="the .underdrawing file to write")
    parser.add_argument("--name", help="what the model is called (default: the folder's name)")
    parser.add_argument("--recipe", default="paper-meta")
    parser.add_argument("--iterations", type=int, help="of all scales together (default: the recipe's)")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, help="processor threads of each process")
    given = parser.parse_args(words)
    pictures = [reduced(read_picture(path)) for path in pictures_in(given.folder)]
    with gathered() as team, tempfile.TemporaryDirectory() as spool:
        inputs = Inputs(Path(spool))
        staging = given.out.with_name(given.out.name + ".training")
        staging.mkdir(parents=True, exist_ok=True)
        args = {
            "folder": str(staging),
            "home": str(staging),
            "weights": str(staging),
            "spool": spool,
            "planes": {},
            "method": "meta",
            "recipe": given.recipe,
            "model": new_identity(),
            "name": given.name or given.folder.resolve().name,
            "iterations": given.iterations,
            "options": options_of(given.option),
            "seed": given.seed,
            "device": given.device,
            "threads": given.threads,
            "picture": {"hash": inputs.put(sheet_of(pictures))},
            "pictures": [{"hash": inputs.put(picture)} for picture in pictures],
        }
        train(args, TerminalListener(team))
        if team.leads:
            model_archive.write(staging, Manifest.load(staging), given.out)
            shutil.rmtree(staging)
            print(f"{given.out}: import it with: underdrawing models import {given.out}")


if __name__ == "__main__":
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        launch(sys.argv[1:])
    except EngineError as error:
        sys.exit(f"{error}\n  {error.hint}")
