"""Between two pictures: the weights that a folder's model writes for both, mixed scale by scale (paper, section 4)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.link.messages import EngineError
from underdrawing.picture.brushwork import Hand, Level, raised_by
from underdrawing.picture.image import Picture, white_of
from underdrawing.picture.pyramid import anchor, reduced
from underdrawing.serve.child import Context
from underdrawing.serve.frames import Inputs
from underdrawing.serve.generating import FROM_AFAR, RATE, mixed
from underdrawing.serve.instant import check_writer, inputs_of, write
from underdrawing.serve.model import Model
from underdrawing.serve.running import pixels_of
from underdrawing.serve.sessions import SessionStore

GROUPS = ("coarse", "middle", "fine")


def chosen_scales(count: int, which: str) -> list[int]:
    """The scales of a group, of so many in all: each group is a third, the coarser ones the larger where it is odd."""
    if which == "all":
        return list(range(count))
    return [int(k) for k in np.array_split(np.arange(count), len(GROUPS))[GROUPS.index(which)]]


def mixed_rows(one: np.ndarray, two: np.ndarray, part: float, scales: list[int], count: int) -> np.ndarray:
    """Weights between those of two pictures at some of `count` scales; at the others the first picture's.

    Args:
        one, two: (1, numbers, 1, 1), the scales one after the other.
        part: 0 for the first, 1 for the second.
    """
    rows = one.reshape(count, -1).copy()
    rows[scales] += part * (two.reshape(count, -1)[scales] - rows[scales])
    return rows.reshape(one.shape)


def between(model: Model, args: Mapping[str, Any], sessions: SessionStore, context: Context) -> dict[str, Any]:
    """Pictures on the way from one to another.

    Args:
        args: `picture`, `other`, `at`, `scales`, `freedom`, `seed`, as `instantrequests` checked them.

    Raises:
        EngineError: it is no folder's model, a picture does not fit it, or it was given up.
    """
    begun = time.perf_counter()
    inputs = Inputs(Path(args["spool"]))
    pictures = [inputs.picture(args[name]) for name in ("picture", "other")]
    full = [picture.to_float(white_of(picture)).clip(0, 1) for picture in pictures]
    one, two = (write(model, rgb, sessions) for rgb in full)
    _, spec, _ = check_writer(model)
    last = max((i.size for i in spec.inputs[:-1]), key=max)
    given = inputs_of(spec, last, (one.small.shape[1], one.small.shape[0]))
    scales = chosen_scales(len(given), str(args["scales"]))
    chance, freedom, places = np.random.default_rng(args["seed"]), float(args["freedom"]), list(args["at"])
    start = anchor(*given[0].size)
    noise = {i.name: chance.standard_normal((1, i.channels, i.size[1], i.size[0]), np.float32) for i in given}
    feed = {name: freedom * value for name, value in noise.items()}
    feed[given[0].name] = mixed(start, noise[given[0].name], freedom)
    session = sessions.get(model.folder / spec.file)
    levels: tuple[dict[float, Level], dict[float, Level]] = ({}, {})
    made: list[str] = []
    for part in places:
        row = mixed_rows(one.row, two.row, part, scales, len(given))
        small = np.asarray(pixels_of(session.run({**feed, spec.inputs[-1].name: row})), np.float32)
        ends = part if len(scales) == len(given) else 0.0
        if len(scales) == len(given):  # else what a few scales change would be too fine to be seen from afar
            small = reduced(small, min(1.0, FROM_AFAR / max(small.shape[:2])))
        picture = _at_full_size(full, small, ends, levels)
        made.append(inputs.put(Picture((picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)), args.get("order") or ""))
        context.event("progress", phase="generating", fraction=len(made) / len(places), done=len(made), of=len(places))
        if context.wanted() == "cancel":
            raise EngineError("cancelled", "Cancelled.")
    width, height = pictures[0].size
    answer = {"pictures": made, "width": width, "height": height, "device": "GPU" if session.on_gpu else "CPU"}
    return {**answer, "notes": [], "rate": RATE, "seconds": round(time.perf_counter() - begun, 4)}


def _at_full_size(
    full: list[np.ndarray], small: np.ndarray, part: float, levels: tuple[dict[float, Level], dict[float, Level]]
) -> np.ndarray:
    """A result at the first picture's size, in the brushwork of both, each as much as it has part in it.

    Args:
        full: (H, W, 3) float32 in [0, 1], both pictures.
        small: (h, w, 3) what of the network's work is kept.
        part: of the second picture.
        levels: what is kept of each picture from one result to the next.
    """
    shares = zip(full, (1 - part, part), levels, strict=True)
    hands = [Hand(picture, share, kept) for picture, share, kept in shares if share > 0]
    return raised_by(hands, small.clip(0, 1), (full[0].shape[1], full[0].shape[0]))
