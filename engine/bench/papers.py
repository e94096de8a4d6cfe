"""The published recipes at their published lengths, on one's own data: `python -m bench papers --all OUT`.

Everything lives in OUT: an engine's folder with checkpoints and models, the curve of every training, a sheet, and a row
for each trial that is finished. So a run that is stopped, by Ctrl-C or by a power cut, goes on where it was when the
same command is given again; the table is written after every trial.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench import generate, quality
from bench.curves import Line, curves
from bench.datasets import Set, read_set
from bench.generate import GenerateCase, Named
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.commands.demo import ASSETS
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.folder import reduced, sheet_of
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

MANY = 16  # pictures from which a folder is a data set, and not a single batch (Meta, supplement, section 2.3)
SHOWN = 3  # pictures of a folder that its model is measured on
POINTS = 200  # of a curve
BOTH = ("segments", "edges")
PUBLISHED = {  # what the papers report for these recipes, on their own data
    "deepsim paper": "LPIPS 0.216, SIFID 0.127 (Cityscapes, segments); 0.134, 0.104 (segments and edges)",
    "deepsim baseline": "LPIPS 0.342, SIFID 0.292 (Cityscapes, segments)",
    "sia paper": "accuracy 0.540, mean IoU 0.457",
    "consingan paper-vary": "SIFID 0.06, diversity 0.50 (Places-50)",
    "consingan singan": "SIFID 0.09, diversity 0.52 (Places-50)",
    "meta paper-meta": "SIFID 0.05, diversity 0.50 (Places-50)",
}

Say = Callable[[str], None]
Measured = tuple[dict[str, float], np.ndarray | None]


@dataclass(frozen=True)
class Trial:
    """A published recipe on one picture or folder.

    Attributes:
        system: the method and the recipe, "deepsim paper".
        data: what it is trained on.
        begin: starts the training with these further options: what `Engine.train` returns.
        measure: the figures of the finished model, by its id, and a sheet.
    """

    system: str
    data: str
    begin: Callable[..., dict[str, Any]] = field(repr=False)
    measure: Callable[[Engine, str], Measured] = field(repr=False)

    @property
    def name(self) -> str:
        """Of its model and its files."""
        return f"{self.system}, {self.data}"


def trials(folder: Path, size: int, weights: Path, judge: bool) -> list[Trial]:
    """All trials that a folder of data allows.

    Args:
        folder: its subfolders hold a pair (`bench/datasets.py`), or pictures (`bench/generate.py`).
        size: pixels of the shorter side, of pairs; and the most of it, of other pictures.
        weights: the folder of pretrained weights.
        judge: train a judge of consistency for every pair.

    Raises:
        EngineError: there is nothing to train on.
    """
    found: list[Trial] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if (place / "train").is_dir():
            found += _of_pair(read_set(place, size), weights, judge)
            continue
        with suppress(EngineError):
            cases, alone = generate.read(place)
            alone = [(name, _at_most(picture, size)) for name, picture in alone]
            found += [one for case in cases for one in _of_case(_small(case, size))]
            found += [one for named in alone for one in _of_picture(named)]
            if len(alone) > 1:
                found.append(_of_folder(place.name, alone))
    if not found:
        raise EngineError("no_data", f"{folder} has no pictures to train on.", "See docs/bench.md for its contents.")
    return sorted(found, key=lambda trial: list(_ORDER).index(trial.system.split()[0]))


_ORDER = ("consingan", "meta", "sia", "deepsim")  # the quickest first


def _of_pair(data: Set, weights: Path, judge: bool) -> Iterator[Trial]:
    film = all(frame.truth is not None for frame in data.frames)

    @cache
    def scale(planes: tuple[str, ...]) -> quality.Scale:
        return quality.Scale(data, weights, judge, planes)

    for name in ("paper", "paper-2020", "baseline", "sia-paper"):
        method, recipe, _ = quality.METHODS[name]
        for planes in (("segments",), BOTH) if film and method == "deepsim" else (("segments",),):
            begin = _underdrawn(data, method, recipe, planes)
            yield Trial(
                f"{method} {recipe}", f"{data.name}, {' and '.join(planes)}", begin, _applied(data, planes, scale)
            )


def _underdrawn(data: Set, method: str, recipe: str, planes: Sequence[str]) -> Callable[..., dict[str, Any]]:
    def begin(engine: Engine, **more: Any) -> dict[str, Any]:
        picture = frame_of(Picture((data.picture * 255 + 0.5).astype(np.uint8)))
        drawn = quality.planes_of(data, data.classes, data.picture, planes)
        options = {"pixels": 0, "pixels_gpu": 0, **more.pop("options", {})}
        palette = data.palette.to_json()
        return engine.train(picture, drawn, palette=palette, method=method, recipe=recipe, options=options, **more)

    return begin


def _applied(
    data: Set, planes: tuple[str, ...], scale: Callable[[tuple[str, ...]], quality.Scale]
) -> Callable[[Engine, str], Measured]:
    def measure(engine: Engine, model: str) -> Measured:
        row = scale(planes).row(planes[0], 0, quality.applied(engine, data, model, planes, []))
        return row.figures, quality.contact_sheet(data, [row])

    return measure


def _of_picture(named: Named) -> Iterator[Trial]:
    name, picture = named
    systems = ("consingan paper-vary", "consingan paper-animate", "consingan singan", "meta paper-meta-single")
    for system in systems:
        yield Trial(system, name, _alone(system, picture), lambda engine, model: _variations(engine, [model], [named]))


def _of_case(case: GenerateCase) -> Iterator[Trial]:
    for recipe in ("paper-harmonize", "paper-harmonize-large") if case.task == "harmonize" else ("paper-blend",):

        def measure(engine: Engine, model: str) -> Measured:
            made = generate.adapted(engine, model, case, 0)
            figures = generate.distances(made.to_float(), case.mask, case.picture.to_float())
            shown = [("the picture", case.picture), ("pasted or edited", case.changed), ("the network's picture", made)]
            return figures, sheet([[(title, one.to_bytes()) for title, one in shown]])

        system = f"consingan {recipe}"
        yield Trial(system, case.name, _alone(system, case.picture), measure)


def _of_folder(name: str, pictures: Sequence[Named]) -> Trial:
    system = "meta paper-meta" if len(pictures) >= MANY else "meta paper-meta-batch"

    def begin(engine: Engine, **more: Any) -> dict[str, Any]:
        small = [reduced(picture) for _, picture in pictures]
        frames = [frame_of(picture) for picture in small]
        return engine.train(frame_of(sheet_of(small)), {}, pictures=frames, recipe=system.split()[1], **more)

    def measure(engine: Engine, model: str) -> Measured:
        some = pictures[:SHOWN]
        return _variations(engine, [str(engine.instant(model, frame_of(one))["id"]) for _, one in some], some)

    return Trial(system, name, begin, measure)


def _alone(system: str, picture: Picture) -> Callable[..., dict[str, Any]]:
    return lambda engine, **more: engine.train(frame_of(picture), {}, recipe=system.split()[1], **more)


def _variations(engine: Engine, models: Sequence[str], pictures: Sequence[Named]) -> Measured:
    """Means over the pictures, of what each one's model makes of noise."""
    found, shown = [], []
    for model, (name, picture) in zip(models, pictures, strict=True):
        figures, made = generate.figures_of(engine, model, picture, 0)
        found.append(figures)
        shown.append([(name, picture.to_bytes()), *(("made of noise", one) for one in made)])
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}, sheet(shown, 200)


def run(chosen: Sequence[Trial], out: Path, asked: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Train and measure what is not there yet: a row for each trial, as it is written to OUT.

    Args:
        asked: the device, and what is not as published: iterations for a try, hyperparameters for small pictures.

    Raises:
        EngineError: a training failed.
    """
    rows = []
    with _engine(out / "engine") as engine:
        for trial in chosen:
            place = out / trial.name
            if not place.with_name(f"{trial.name}.json").is_file():
                say(trial.name)
                ended = _trained(engine, trial, place, asked, say)
                measured, shown = trial.measure(engine, ended["model"])
                figures = {key: value for key, value in measured.items() if not math.isnan(value)}
                if shown is not None:
                    write_picture(place.with_name(f"{trial.name}.png"), Picture(shown))
                took = {key: ended["figures"][key] for key in ("iterations", "seconds", "device")}
                row = {"system": trial.system, "data": trial.data, **took, "figures": figures}
                place.with_name(f"{trial.name}.json").write_text(json.dumps(row, indent=1), encoding="utf-8")
            rows.append(json.loads(place.with_name(f"{trial.name}.json").read_text(encoding="utf-8")))
            (out / "papers.md").write_text(as_markdown(rows), encoding="utf-8")
    return rows


@contextmanager
def _engine(home: Path) -> Iterator[Engine]:
    """An engine whose folder stays; what it trains when it is stopped goes on the next time."""
    engine = Engine.connect(home=home)
    try:
        yield engine
    finally:
        with suppress(EngineError):
            engine.shutdown()
        engine.wait_for_end()
        engine.close()


def _trained(engine: Engine, trial: Trial, place: Path, asked: dict[str, Any], say: Say) -> dict[str, Any]:
    """The finished training: one of before, one that was interrupted, or a new one."""
    known = [model for model in engine.models() if model["name"] == trial.name]
    if known:
        return {"model": known[-1]["id"], "figures": engine.model(known[-1]["id"])["manifest"]["figures"]}
    jobs = [job for job in engine.jobs() if job["name"] == trial.name and job["state"] not in ("done", "cancelled")]
    if jobs and jobs[-1]["state"] in ("paused", "failed"):
        engine.resume(jobs[-1]["job"])
    job = str((jobs[-1] if jobs else trial.begin(engine, name=trial.name, seed=0, **asked))["job"])
    points: dict[float, dict[str, float]] = {}
    path = place.with_name(f"{trial.name}.csv")
    with path.open("a", encoding="utf-8", newline="") as file:
        reached = 0.0

        def heard(event: dict[str, Any]) -> None:
            nonlocal reached
            if event.get("event") == "note":
                say(str(event.get("text")))
            if event.get("event") == "progress" and event.get("losses") and event["fraction"] >= reached:
                reached = event["fraction"] + 1 / POINTS
                for name, value in event["losses"].items():
                    csv.writer(file).writerow([event["iteration"], round(event["elapsed"], 1), name, value])
                file.flush()

        ended = engine.watch(job, heard)
    if ended["state"] != "done":
        raise EngineError.from_dict(ended.get("error") or {"code": "cancelled", "message": "The training was stopped."})
    for _, seconds, name, value in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        points.setdefault(max(0.1, float(seconds)), {})[name] = float(value)
    if points:
        losses = list(dict.fromkeys(name for values in points.values() for name in values))
        write_picture(place.with_name(f"{trial.name}.curve.png"), Picture(curves([Line(trial.name, points)], losses)))
    return ended


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table, with what the papers report beside it."""
    lines = [
        "| system | data | iterations | minutes | device | measured | the paper's |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        measured = ", ".join(f"{name} {value:.3g}" for name, value in row["figures"].items())
        cells = [row["system"], row["data"], row["iterations"], f"{row['seconds'] / 60:.1f}", row["device"], measured]
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} | {PUBLISHED.get(row['system'], '')} |")
    return "\n".join(lines) + "\n"


def bundled(folder: Path) -> Path:
    """The bundled photographs, laid out as data: a pair with edits, something pasted, a rough edit, two pictures."""
    pair, alone = folder / "coffee", folder / "pictures"
    for place in (pair / "train", pair / "edits", alone):
        place.mkdir(parents=True, exist_ok=True)
    names = {"train/image": "coffee", "train/primitive": "drawn", "edits/no_spoon": "no_spoon"}
    for target, source in names.items():
        (pair / f"{target}.png").write_bytes((ASSETS / f"{source}.png").read_bytes())
    for name in ("coffee", "rocket"):
        (alone / f"{name}.png").write_bytes((ASSETS / f"{name}.png").read_bytes())
    cup = read_picture(ASSETS / "coffee.png")
    height, width = cup.pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (width // 6, height // 4), height // 8, 255, -1)
    for name, other in (("naive", np.full_like(cup.pixels, (40, 160, 90))), ("edit_1", cup.pixels[::-1, ::-1])):
        (folder / "changed").mkdir(exist_ok=True)
        changed = np.where(mask[..., None] > 0, other, cup.pixels)
        write_picture(folder / "changed" / f"coffee_{name}.png", Picture(changed))
        write_picture(folder / "changed" / f"coffee_{name}_mask.png", Picture(mask))
    write_picture(folder / "changed" / "coffee.png", cup)
    return folder


def _at_most(picture: Picture, size: int) -> Picture:
    shorter = min(picture.size)
    if shorter <= size:
        return picture
    small = (round(picture.size[0] * size / shorter), round(picture.size[1] * size / shorter))
    return Picture(cv2.resize(picture.to_bytes(), small, interpolation=cv2.INTER_AREA))


def _small(case: GenerateCase, size: int) -> GenerateCase:
    picture, changed = _at_most(case.picture, size), _at_most(case.changed, size)
    mask = cv2.resize(case.mask.view(np.uint8), picture.size, interpolation=cv2.INTER_NEAREST).astype(bool)
    return GenerateCase(case.name, case.task, picture, changed, mask)
