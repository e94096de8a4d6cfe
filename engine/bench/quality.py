"""How good results are: one set of data, several methods and times, one table. docs/quality.md explains the metrics.

Everything goes through an engine of its own in a temporary folder, as users' pictures do.
`true` and `unchanged` bound the scale: true frames as if they were results, and the training picture as if it were.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.curves import Line, curves
from bench.cycle_edits import UNSURE, undone
from bench.datasets import LabelledFrame, Set
from bench.lpips import LPIPS
from bench.metrics import changed, mean_iou, outline_fidelity, patch_distance, sharpness, sifid
from bench.segmentation_probe import Judge
from bench.train_monitor import follow
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.draft.draft import draft
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.edges import canny_edges
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive
from underdrawing.store.frame_codec import frame_of, picture_of

WITHOUT = ("true", "unchanged")  # rows that need no training
METHODS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "draft": ("draft", "draft", {}),
    "ours": ("refine", "refine", {}),
    "baseline": ("deepsim", "baseline", {}),
    "quick": ("deepsim", "quick", {}),
    "paper": ("deepsim", "paper", {}),
    "paper-2020": ("deepsim", "paper-2020", {}),
    "quick-no-gan": ("deepsim", "quick", {"gan": 0}),
    "quick-no-vgg": ("deepsim", "quick", {"perceptual": 0}),
    "quick-l1": ("deepsim", "quick", {"gan": 0, "perceptual": 0, "pixel": 10}),
    "quick-no-warp": ("deepsim", "quick", {"warp": False}),
    "sia": ("sia", "quick", {}),
    "sia-paper": ("sia", "paper", {}),
    # The network's own pictures, whole and without one part of the paper each.
    "sia-network": ("sia", "quick", {"painted": False}),
    "sia-no-translation": ("sia", "quick", {"painted": False, "translated": False}),
    "sia-no-coherence": ("sia", "quick", {"painted": False, "coherence": 0}),
    "sia-no-alignment": ("sia", "quick", {"painted": False, "alignment": 0}),
}
SMALL = 0.02  # part of the picture
REACH = 0.02  # part of the shorter side by which a change is widened
EVERY = 2  # one frame in so many is the judge's and not judged
SHOWN = 6  # frames on the sheet
COMPARED = ("lpips", "lpips_region", "lpips_unsure")
DRAWN = ("lpips", "lpips_region", "lpips_unsure", "consistency", "sharpness")  # as curves
FIGURES = (
    *COMPARED,
    "outlines",
    "consistency",
    "consistency_small",
    "accuracy",
    "sifid",
    "patches",
    "sharpness",
    "outside",
)

Say = Callable[[str], None]


@dataclass
class QualityRow:
    """The figures of one method with one budget."""

    method: str
    budget: float
    figures: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, np.ndarray] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """For JSON; what is not known is null."""
        values = {k: None if math.isnan(v) else round(v, 4) for k, v in self.figures.items()}
        return {"method": self.method, "budget": self.budget, **values}


class Scale:
    """Everything that a result is measured with.

    Args:
        data: the set.
        weights: the folder of pretrained weights.
        judge: whether to train one (a minute or two).
        planes: of the primitives.

    Raises:
        EngineError: LPIPS has no weights.
    """

    def __init__(self, data: Set, weights: Path, judge: bool, planes: Sequence[str]) -> None:
        self.data, self.planes = data, planes
        self._unsure: dict[str, np.ndarray] = {}
        try:
            self.lpips = LPIPS(weights)
        except FileNotFoundError:
            text = "LPIPS cannot be measured: its weights are not installed."
            raise EngineError("no_weights", text, "Run: underdrawing weights fetch") from None
        self.outlines = canny_edges(_bytes(data.picture))
        self.reach = max(2, round(REACH * min(data.classes.shape)))
        everything = np.arange(len(data.palette))
        share = np.bincount(data.classes.ravel(), minlength=len(everything)) / data.classes.size
        self.classes, self.small = everything, everything[(share > 0) & (share <= SMALL)]
        known = [frame for frame in data.frames if frame.truth is not None]
        self.kept = {frame.name for frame in known[::EVERY]} if data.video else set()
        self.judge: Judge | None = None
        if judge:
            pairs = [(data.picture, data.classes)]
            pairs += [(f.truth, f.classes) for f in known if f.name in self.kept and f.truth is not None]
            self.judge = Judge(pairs, len(everything))

    def frame(self, frame: LabelledFrame, made: np.ndarray) -> dict[str, float]:
        """The figures of one result."""
        found: dict[str, float] = {}
        region = changed(self.data.classes, frame.classes, self.reach)
        if frame.truth is not None:
            found["lpips"], where = self.lpips.distances(made, frame.truth)
            for name, mask in (("lpips_region", region), ("lpips_unsure", self.unsure(frame))):
                if mask.any():
                    found[name] = float(where[mask].mean())
            found["outlines"] = outline_fidelity(made, canny_edges(_bytes(frame.truth)), self.outlines)
        if self.judge is not None and frame.name not in self.kept:
            seen = self.judge.read(made)
            found["consistency"] = mean_iou(seen, frame.classes, self.classes)
            found["accuracy"] = float((seen == frame.classes).mean())
            found["consistency_small"] = mean_iou(seen, frame.classes, self.small)
        found["sifid"] = sifid(made, self.data.picture)
        found["patches"] = patch_distance(made, self.data.picture)
        found["sharpness"] = sharpness(made, self.data.picture if frame.truth is None else frame.truth)
        if not region.all():
            found["outside"] = float(np.abs(made - self.data.picture)[~region].mean() * 255)
        return found

    def unsure(self, frame: LabelledFrame) -> np.ndarray:
        """(H, W) bool: where the draft of a frame is unsure."""
        if frame.name not in self._unsure:
            before = primitive_of(self.data, self.data.classes, self.data.picture, self.planes)
            after = primitive_of(self.data, frame.classes, frame.truth, self.planes)
            self._unsure[frame.name] = draft(self.data.picture, before, after).confidence < UNSURE
        return self._unsure[frame.name]

    def row(self, method: str, budget: float, made: Iterator[tuple[LabelledFrame, np.ndarray]]) -> QualityRow:
        """The means over all results."""
        row, found, frames = QualityRow(method, budget), [], []
        for frame, picture in made:
            found.append(self.frame(frame, picture))
            frames.append(frame)
            row.pictures[frame.name] = picture
        for name in FIGURES:
            values = [f[name] for f in found if name in f and not math.isnan(f[name])]
            row.figures[name] = float(np.mean(values)) if values else math.nan
        others = [f for f, frame in zip(found, frames, strict=True) if frame.foreign]
        for name in ("consistency", "accuracy", "patches") if others else ():
            values = [f[name] for f in others if name in f]
            row.figures[f"other_layouts_{name}"] = float(np.mean(values)) if values else math.nan
        return row


def primitive_of(data: Set, classes: np.ndarray, picture: np.ndarray | None, planes: Sequence[str]) -> Primitive:
    """The primitive of a frame; edges are those of its true picture.

    Raises:
        EngineError: edges are asked for where there is no true picture to take them from.
    """
    edges = None
    if "edges" in planes:
        if picture is None:
            text = "Edges can be measured on sets with true frames alone."
            raise EngineError("no_data", text, "Choose --planes segments.")
        edges = canny_edges(_bytes(picture))
    segments = classes if "segments" in planes else None
    return Primitive(segments, None if segments is None else data.palette, edges, None)


def planes_of(data: Set, classes: np.ndarray, picture: np.ndarray | None, planes: Sequence[str]) -> dict[str, Any]:
    """The same as it is sent."""
    primitive = primitive_of(data, classes, picture, planes)
    found: dict[str, Any] = {}
    if primitive.segments is not None:
        found["segments"] = frame_of(Picture(data.palette.colours[primitive.segments]))
    if primitive.edges is not None:
        found["edges"] = frame_of(Picture(primitive.edges))
    return found


def train(
    engine: Engine, data: Set, method: str, budget: float, planes: Sequence[str], seed: int, say: Say
) -> tuple[str, dict[str, float]]:
    """Train on the set's pair: the model's id, seconds and memory."""
    name, recipe, options = METHODS[method]
    picture = frame_of(Picture((data.picture * 255 + 0.5).astype(np.uint8)))
    drawn = planes_of(data, data.classes, data.picture, planes)
    # At the size that was asked for, whatever the recipe would do.
    sized = {"pixels": 0} if name == "draft" else {"pixels": 0, "pixels_gpu": 0}
    started = engine.train(
        picture,
        drawn,
        palette=data.palette.to_json(),
        method=name,
        recipe=recipe,
        options={**options, **sized},
        budget=budget or None,
        seed=seed,
        name=f"{method} {budget:g} s",
    )
    job, most = follow(engine, started["job"])
    say(f"{method}: {job['figures']['iterations']} iterations in {job['figures']['seconds']:.0f} s")
    return started["model"], {"seconds": float(job["figures"]["seconds"]), "memory_mb": most}


def applied(
    engine: Engine, data: Set, model: str, planes: Sequence[str], times: list[float]
) -> Iterator[tuple[LabelledFrame, np.ndarray]]:
    """The whole picture of every frame."""
    for frame in data.frames:
        reply = engine.apply(model, planes_of(data, frame.classes, frame.truth, planes), whole=True)
        times.append(float(reply.body["seconds"]) * 1000)
        yield frame, picture_of(engine.result(reply, reply.body["picture"])).to_float()


def bench(
    data: Set,
    methods: Sequence[str],
    budgets: Sequence[float],
    weights: Path,
    planes: Sequence[str] = ("segments",),
    seeds: int = 1,
    judge: bool = True,
    say: Say = lambda _: None,
) -> list[QualityRow]:
    """Every method with every budget on one set, the figures being means over the seeds.

    Raises:
        EngineError: a method that does not exist, no weights, or a training that failed.
    """
    for method in methods:
        if method not in (*WITHOUT, *METHODS):
            text = f"There is no method {method!r} to measure."
            raise EngineError("unknown_method", text, f"Choose from {', '.join((*WITHOUT, *METHODS))}.")
    if judge:
        say("training the judge")
    scale, rows = Scale(data, weights, judge, planes), []
    if "true" in methods and any(f.truth is not None for f in data.frames):
        rows.append(scale.row("true", 0, ((f, f.truth) for f in data.frames if f.truth is not None)))
    if "unchanged" in methods:
        rows.append(scale.row("unchanged", 0, ((f, data.picture) for f in data.frames)))
    with tempfile.TemporaryDirectory(prefix="underdrawing-bench-") as name:
        engine = Engine.connect(home=Path(name))
        try:
            for method in methods:
                for budget in _budgets(method, budgets):
                    runs = []
                    # Without training there is nothing that a seed decides.
                    for seed in range(seeds if budget else 1):
                        model, cost = train(engine, data, method, budget, planes, seed, say)
                        times: list[float] = []
                        row = scale.row(method, budget, applied(engine, data, model, planes, times))
                        folder = Path(engine.model(model)["folder"])
                        size = sum(path.stat().st_size for path in folder.glob("*.onnx")) / 1e6
                        row.figures |= {**cost, "graphs_mb": size, "apply_ms": float(np.median(times))}
                        if METHODS[method][0] in ("draft", "refine"):
                            own = primitive_of(data, data.classes, data.picture, planes)
                            row.figures |= undone(data.picture, own, folder, scale.lpips)
                        runs.append(row)
                    rows.append(_mean(runs))
        finally:
            with suppress(EngineError):
                engine.shutdown()
            engine.wait_for_end()
            engine.close()
    return rows


def _budgets(method: str, budgets: Sequence[float]) -> Sequence[float]:
    """What is worth measuring: only some methods can do anything without training."""
    if method in WITHOUT:
        return ()
    if METHODS[method][0] == "draft":
        return (0.0,)
    return [budget for budget in budgets if budget > 0]


def _mean(runs: Sequence[QualityRow]) -> QualityRow:
    """Runs with several seeds as one row; the pictures are those of the first."""
    row = QualityRow(runs[0].method, runs[0].budget, pictures=runs[0].pictures)
    for name in runs[0].figures:
        row.figures[name] = float(np.mean([run.figures[name] for run in runs]))
    if len(runs) > 1:
        row.figures["lpips_spread"] = float(np.std([run.figures["lpips"] for run in runs]))
    return row


def as_markdown(rows: Sequence[QualityRow]) -> str:
    """The table."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    lines = ["| method | budget | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for row in rows:
        values = (row.figures.get(name, math.nan) for name in names)
        texts = ("" if math.isnan(v) else f"{v:.0f}" if abs(v) >= 100 else f"{v:.3g}" for v in values)
        lines.append(f"| {row.method} | {row.budget:g} | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def contact_sheet(data: Set, rows: Sequence[QualityRow]) -> np.ndarray:
    """Some frames: what was asked for, the truth, and every method's result; (H, W, 3) uint8."""
    chosen = np.unique(np.linspace(0, len(data.frames) - 1, SHOWN).round().astype(int))
    lines = []
    for frame in [data.frames[k] for k in chosen]:
        line = [(f"{data.name} {frame.name}", data.palette.colours[frame.classes])]
        if frame.truth is not None:
            line.append(("true", _bytes(frame.truth)))
        for row in rows:
            if row.method != "true" and frame.name in row.pictures:
                title = row.method if row.method in WITHOUT else f"{row.method} {row.budget:g} s"
                line.append((title, _bytes(row.pictures[frame.name])))
        lines.append(line)
    return sheet(lines)


def quality_curves(rows: Sequence[QualityRow]) -> np.ndarray:
    """Quality over the time of training, (H, W, 3) uint8; see `bench/curves.py`."""
    points: dict[str, dict[float, dict[str, float]]] = {}
    for row in rows:
        points.setdefault(row.method, {})[row.budget] = row.figures
    # True frames are no method, and their distance to themselves would flatten everything.
    lines = [Line(name, found) for name, found in points.items() if name != "true"]
    return curves(lines, DRAWN)


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
