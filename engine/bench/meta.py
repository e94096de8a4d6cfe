"""How good models are that a folder's model makes at once, beside trained ones: SIFID, diversity, seconds.

The folder's pictures are of two kinds: every fifth is kept out of the training. Rows are

    a recipe's name    the picture alone was trained on, as `bench generate` does it
    folder, trained     the folder's model, of a picture that it was trained on
    folder, unseen     the same, of a picture that was kept out
    …, refined         the same model after it was fine-tuned on this one picture

and smoothness (paper, supplement, section 6): how much pictures between two differ from the next one, by scales.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench import generate
from bench.generate import GenerateRow, Named
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of

HELD_OUT = 5  # every so manyth picture is not trained on
STEPS = 11  # pictures from one to another: alpha in steps of a tenth


@dataclass(frozen=True)
class Halves:
    """The pictures of a folder.

    Attributes:
        trained: what the folder's model is trained on.
        unseen: what it is not.
    """

    trained: list[Named]
    unseen: list[Named]

    @classmethod
    def read(cls, folder: Path) -> Halves:
        """By name; pictures with something pasted or edited are left out.

        Raises:
            EngineError: there are fewer than five.
        """
        _, alone = generate.read(folder)
        if len(alone) < HELD_OUT:
            text = f"{folder} has {len(alone)} pictures; {HELD_OUT} at least are needed."
            raise EngineError("no_data", text, "Name a folder with more pictures.")
        unseen = [one for number, one in enumerate(alone) if number % HELD_OUT == HELD_OUT - 1]
        return cls([one for one in alone if one not in unseen], unseen)


def bench(
    engine: Engine,
    halves: Halves,
    writer: str,
    recipes: Sequence[str],
    most: int,
    seeds: int,
    *,
    options: dict[str, Any],
    refine: float | None,
    note: Callable[[str], None],
) -> tuple[list[GenerateRow], np.ndarray | None]:
    """Figures of up to `most` pictures of each kind; and a sheet.

    Args:
        writer: the folder's model.
        recipes: ways to train on one picture alone, for comparison.
        options: of these, as `train` takes them.
        refine: seconds that models made at once are fine-tuned on their picture, for rows of their own.
    """
    rows: list[GenerateRow] = []
    shown = []
    for kind, pictures in (("trained", halves.trained[:most]), ("unseen", halves.unseen[:most])):
        alone, _ = generate.varied(engine, pictures, recipes, seeds, options, note)
        rows += alone
        for name, picture in pictures:
            begun = time.monotonic()
            made = str(engine.instant(writer, frame_of(picture), name=f"bench {name}"[:100])["id"])
            seconds = time.monotonic() - begun
            at_once = GenerateRow(name, f"folder, {kind}")
            refined = GenerateRow(name, f"folder, {kind}, refined")
            line = [(f"{name}, {kind}", picture.to_bytes())]
            for seed in range(seeds):
                figures, made_of = generate.figures_of(engine, made, picture, seed)
                at_once.figures.append({**figures, "seconds": seconds})
                line += [("at once", one) for one in made_of] if seed == 0 else []
                if refine is None:
                    continue
                note(f"{name}, refined, seed {seed}: training")
                model, more = generate.trained(engine, picture, seed, "refined", base=made, budget=refine)
                figures, made_of = generate.figures_of(engine, model, picture, seed)
                refined.figures.append({**figures, "seconds": seconds + more})
                line += [("refined", one) for one in made_of] if seed == 0 else []
            rows += [row for row in (at_once, refined) if row.figures]
            shown.append(line)
    return rows, sheet(shown, 200) if shown else None


def smoothness(engine: Engine, writer: str, pairs: Sequence[tuple[Picture, Picture]]) -> dict[str, list[float]]:
    """Mean absolute difference of neighbours on the way, by a unit of the way, for each group of scales.

    Returns:
        for coarse, middle, fine and all scales one figure a step, the mean over the pairs.
    """
    found: dict[str, list[float]] = {}
    for scales in ("coarse", "middle", "fine", "all"):
        ways = []
        for one, two in pairs:
            reply = engine.between(writer, frame_of(one), frame_of(two), count=STEPS, scales=scales)
            way = [picture_of(engine.result(reply, key)).to_float() for key in reply.body["pictures"]]
            ways.append([float(np.abs(a - b).mean()) * (STEPS - 1) for a, b in pairwise(way)])
        found[scales] = [round(float(v), 4) for v in np.mean(ways, axis=0)]
    return found


def interpolations(engine: Engine, writer: str, pairs: Sequence[tuple[Named, Named]], count: int = 6) -> np.ndarray:
    """A sheet: the way between pictures, a row for each group of scales."""
    rows = []
    for (first, one), (second, two) in pairs:
        for scales in ("all", "coarse", "middle", "fine"):
            reply = engine.between(writer, frame_of(one), frame_of(two), count=count, scales=scales)
            way = [picture_of(engine.result(reply, key)).to_bytes() for key in reply.body["pictures"]]
            row = [(first, one.to_bytes()), *((f"{scales} {k / (count - 1):.1f}", w) for k, w in enumerate(way))]
            rows.append([*row, (second, two.to_bytes())])
    return sheet(rows, 150)
