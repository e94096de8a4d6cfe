"""Between two pictures: the weights that a folder's model writes for both, mixed scale by scale (paper, section 4)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture, white_of
from underdrawing.picture.patch_texture import FROM_AFAR, Hand, TextureLevel, raised
from underdrawing.picture.resize import anchor, at_most, small_copy
from underdrawing.render.generate import RATE, mixed
from underdrawing.render.graph_runner import pixels_of
from underdrawing.render.hypernetwork import check_writer, inputs_of, write
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import OnnxSession, SessionStore
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.worker_pipe import Context

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
        args: `picture`, `other`, `at`, `scales`, `freedom`, `seed`, `network_picture`, as `instantrequests` checked
            them.

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
    rng, freedom, places = np.random.default_rng(args["seed"]), float(args["freedom"]), list(args["at"])
    start = anchor(*given[0].size)
    noise = {i.name: rng.standard_normal((1, i.channels, i.size[1], i.size[0]), np.float32) for i in given}
    feed = {name: freedom * value for name, value in noise.items()}
    feed[given[0].name] = mixed(start, noise[given[0].name], freedom)
    session = sessions.get(model.folder / spec.file)
    as_made = bool(args.get("network_picture")) or model.manifest.plan.network_picture
    way = _Way(full, (one.row, two.row), scales, len(given), session, feed, spec.inputs[-1].name, as_made)
    made: list[str] = []
    for part in places:
        picture = way.at(part)
        made.append(inputs.put(Picture((picture * 255 + 0.5).astype(np.uint8)), args.get("order") or ""))
        context.event("progress", phase="generating", fraction=len(made) / len(places), done=len(made), of=len(places))
        if context.wanted() == "cancel":
            raise EngineError("cancelled", "Cancelled.")
    width, height = pictures[0].size
    answer = {"pictures": made, "width": width, "height": height, "device": "GPU" if session.on_gpu else "CPU"}
    return {**answer, "notes": [], "rate": RATE, "seconds": round(time.perf_counter() - begun, 4)}


@dataclass(frozen=True, eq=False)
class _Way:
    """The way from one picture to another.

    Attributes:
        full: (H, W, 3) float32 in [0, 1], both pictures.
        rows: the weights that were written for them.
        scales: of `count` those that change on the way.
        feed: the graph's inputs without the weights, whose name is `weights`.
        as_made: the network's own pictures, without the pictures' brushwork.
        levels: what is kept of each picture's brushwork from one place to the next.
    """

    full: list[np.ndarray]
    rows: tuple[np.ndarray, np.ndarray]
    scales: list[int]
    count: int
    session: OnnxSession
    feed: dict[str, np.ndarray]
    weights: str
    as_made: bool = False
    levels: tuple[dict[float, TextureLevel], dict[float, TextureLevel]] = field(default_factory=lambda: ({}, {}))

    def at(self, part: float) -> np.ndarray:
        """What lies at a place from 0 to 1, (H, W, 3) float32 in [0, 1], of the first picture's size."""
        if self.as_made:
            height, width = self.full[0].shape[:2]
            return small_copy(self._small(part), width, height).clip(0, 1)
        if 0 in self.scales:
            return self._painted(self._small(part), part)
        # What the finer scales change cannot be seen from afar: it is laid over the way's beginning.
        small, painted = self._beginning
        size = (painted.shape[1], painted.shape[0])
        change = cv2.resize(self._small(part) - small, size, interpolation=cv2.INTER_CUBIC)
        return np.asarray((painted + change).clip(0, 1))

    @cached_property
    def _beginning(self) -> tuple[np.ndarray, np.ndarray]:
        small = self._small(0.0)
        return small, self._painted(small, 0.0)

    def _small(self, part: float) -> np.ndarray:
        """What the network makes, (h, w, 3)."""
        row = mixed_rows(*self.rows, part, self.scales, self.count)
        return np.asarray(pixels_of(self.session.run({**self.feed, self.weights: row})), np.float32)

    def _painted(self, small: np.ndarray, part: float) -> np.ndarray:
        """The same in the brushwork of both, each as much as it has part in it, as it is seen from afar."""
        share = part if len(self.scales) == self.count else 0.0
        hands = zip(self.full, (1 - share, share), self.levels, strict=True)
        size = (self.full[0].shape[1], self.full[0].shape[0])
        return raised([Hand(*hand) for hand in hands if hand[1] > 0], at_most(small, FROM_AFAR).clip(0, 1), size)
