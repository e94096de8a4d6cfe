"""How well pictures without an underdrawing come out: pasted things, rough edits, variations.

A folder of data holds pictures, by their names:

    X.jpg, X_naive.jpg, X_naive_mask.jpg            something was pasted
    X.png, X_edit_1.png, X_edit_1_mask.png, …       rough edits
    X.jpg                                           a picture to vary

Figures of what was pasted or edited compare what is inside the mask with what is around it (smaller is better):

    colour      mean difference of the quantiles of L, a and b
    gradients   the same of the lengths of brightness gradients, as a part of their mean around
    seam        how far patches across the mask's border are from the nearest of the picture (bench/metrics.py)

and of variations:

    sifid       bench/metrics.py
    network     SIFID of what the network alone makes, against the picture at the size that it trained on: without the
                picture's brushwork, which goes over all results
    diversity   SinGAN, section 3: the spread of each pixel over many pictures, by the spread of the training picture's
    seconds     of training
    parameters  of the generator
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx

from bench.metrics import patch_distance, sifid
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import composite, poisson
from underdrawing.picture.contact_sheet import sheet
from underdrawing.picture.files import read_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.mask import dilate
from underdrawing.picture.resize import small_copy
from underdrawing.store.frame_codec import frame_of, picture_of

SUFFIXES = (".jpg", ".jpeg", ".png")
AROUND = 0.2  # of the longer side: what lies so near to the mask is around it
SEAM = 3  # pixels to both sides of a mask's border
QUANTILES = np.linspace(0.02, 0.98, 49)
VARIATIONS = 16
SHOWN = 3  # variations on the sheet
Named = tuple[str, Picture]


@contextmanager
def own_engine() -> Iterator[Engine]:
    """An engine in a temporary folder, so that nothing of the user's is touched."""
    with tempfile.TemporaryDirectory(prefix="underdrawing-bench-") as name:
        engine = Engine.connect(home=Path(name))
        try:
            yield engine
        finally:
            with suppress(EngineError):
                engine.shutdown()
            engine.wait_for_end()
            engine.close()


@dataclass(frozen=True)
class GenerateCase:
    """Something that was changed.

    Attributes:
        task: "harmonize" or "blend".
        picture, changed: before and after, of one size.
        mask: (H, W) bool.
    """

    name: str
    task: str
    picture: Picture
    changed: Picture
    mask: np.ndarray


@dataclass
class GenerateRow:
    """One line of a table: what, how, and its figures, of every seed."""

    name: str
    how: str
    figures: list[dict[str, float]] = field(default_factory=list)

    def mean(self, key: str) -> float:
        """The mean over seeds; NaN where there is no such figure."""
        values = [f[key] for f in self.figures if key in f]
        return float(np.mean(values)) if values else float("nan")

    def public(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "how": self.how, "seeds": self.figures}


def read(folder: Path) -> tuple[list[GenerateCase], list[tuple[str, Picture]]]:
    """What a folder holds: cases, and pictures to vary.

    Raises:
        EngineError: neither.
    """
    files = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES}
    cases, alone = [], []
    for stem, path in files.items():
        if stem.endswith("_mask") or "_naive" in stem or "_edit_" in stem:
            continue
        partners = [s for s in files if s.startswith((f"{stem}_naive", f"{stem}_edit_")) and f"{s}_mask" in files]
        for other in partners:
            task = "harmonize" if "_naive" in other else "blend"
            marked = read_picture(files[f"{other}_mask"]).to_float().max(2) > 0.5
            cases.append(GenerateCase(other, task, _plain(path), _plain(files[other]), marked))
        if not partners:
            alone.append((stem, _plain(path)))
    if not cases and not alone:
        raise EngineError("no_data", f"{folder} has no pictures.", "Name a folder that is laid out so.")
    return cases, alone


def _plain(path: Path) -> Picture:
    return Picture(read_picture(path).to_bytes())


def distances(made: np.ndarray, mask: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """How far the statistics inside a mask are from those around it, and its border from what the picture has.

    Args:
        made, before: (H, W, 3) float32 in [0, 1], the result and the picture itself.
        mask: (H, W) bool.
    """
    around = dilate(mask, round(AROUND * max(mask.shape))) & ~dilate(mask, 2)
    lab = cv2.cvtColor(np.ascontiguousarray(made, np.float32), cv2.COLOR_RGB2LAB)
    colour = np.mean([_apart(lab[..., k][mask], lab[..., k][around]) for k in range(3)])
    slopes = [cv2.Sobel(lab[..., 0], cv2.CV_32F, dx, 1 - dx) for dx in (0, 1)]
    length = np.hypot(*slopes)
    gradients = _apart(length[mask], length[around]) / max(1e-6, float(length[around].mean()))
    border = dilate(mask, SEAM) & dilate(~mask, SEAM)
    return {"colour": float(colour), "gradients": float(gradients), "seam": patch_distance(made, before, border)}


def _apart(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.abs(np.quantile(one, QUANTILES) - np.quantile(two, QUANTILES)).mean())


def changed(
    engine: Engine, cases: Sequence[GenerateCase], seeds: int, options: dict[str, Any], note: Callable[[str], None]
) -> tuple[list[GenerateRow], np.ndarray | None]:
    """Naive, gradient-domain and ours for all cases, one training a picture and seed; and a sheet."""
    rows, shown = [], []
    models: dict[tuple[str, str, int], str] = {}
    for case in cases:
        rgb, before = case.changed.to_float(), case.picture.to_float()
        # Well inside of what was pasted: its edge is mixed with the picture already, and would keep all as it is.
        core = cv2.erode(case.mask.view(np.uint8), np.ones((5, 5), np.uint8))
        plain = poisson(before, rgb, core.astype(np.float32)).clip(0, 1)
        ours = GenerateRow(case.name, "ours")
        pictures = []
        for seed in range(seeds):
            key = (case.picture.hash, case.task, seed)
            if key not in models:
                note(f"{case.name}, seed {seed}: training")
                models[key], _ = trained(engine, case.picture, seed, case.task, recipe=case.task, **options)
            pictures.append(adapted(engine, models[key], case, seed))
            ours.figures.append(distances(pictures[-1].to_float(), case.mask, before))
        naive = GenerateRow(case.name, "naive", [distances(rgb, case.mask, before)])
        rows += [naive, GenerateRow(case.name, "gradient domain", [distances(plain, case.mask, before)]), ours]
        seen = [("the picture", case.picture.to_bytes()), ("pasted or edited", case.changed.to_bytes())]
        seen += [("gradient domain", (plain * 255).astype(np.uint8))]
        shown.append([*seen, *((f"ours, seed {k}", p.to_bytes()) for k, p in enumerate(pictures[:2]))])
    return rows, sheet(shown) if shown else None


def adapted(engine: Engine, model: str, case: GenerateCase, seed: int) -> Picture:
    """The changed picture as a model of the picture adapts it."""
    marked = frame_of(Picture(case.mask.astype(np.uint8) * 255))
    reply = engine.generate(model, case.task, frame_of(case.changed), marked, seed=seed)
    made, alpha = (picture_of(engine.result(reply, reply.body[name])) for name in ("picture", "mask"))
    at, share = (reply.body["x"], reply.body["y"]), alpha.pixels[..., 0].astype(np.float32) / 255
    return composite(case.changed, made, at, share)


def varied(
    engine: Engine,
    pictures: Sequence[tuple[str, Picture]],
    recipes: Sequence[str],
    seeds: int,
    options: dict[str, Any],
    note: Callable[[str], None],
) -> tuple[list[GenerateRow], np.ndarray | None]:
    """Variations of all pictures with all recipes; and a sheet."""
    rows, shown = [], []
    for name, picture in pictures:
        line = [(name, picture.to_bytes())]
        for recipe in recipes:
            row = GenerateRow(name, recipe)
            for seed in range(seeds):
                note(f"{name}, {recipe}, seed {seed}: training")
                model, seconds = trained(engine, picture, seed, recipe, recipe=recipe, **options)
                figures, made = figures_of(engine, model, picture, seed)
                row.figures.append({**figures, "seconds": seconds})
                if seed == 0:
                    line += [(recipe, one) for one in made]
            rows.append(row)
        shown.append(line)
    return rows, sheet(shown, 200) if shown else None


def figures_of(engine: Engine, model: str, picture: Picture, seed: int) -> tuple[dict[str, float], list[np.ndarray]]:
    """What a model's free variations of its picture come to, and some of them, (H, W, 3) uint8."""
    reply = engine.generate(model, "vary", count=VARIATIONS, freedom=1.0, seed=seed)
    made = [picture_of(engine.result(reply, key)).to_float() for key in reply.body["pictures"]]
    real = picture.to_float()
    spread = np.stack([m.mean(2) for m in made]).std(0).mean() / max(1e-6, float(real.mean(2).std()))
    network, parameters = _network(engine, model, real, seed)
    figures = {"sifid": float(np.mean([sifid(m, real) for m in made])), "network": network}
    figures |= {"diversity": float(spread), "parameters": float(parameters)}
    return figures, [(m * 255 + 0.5).astype(np.uint8) for m in made[:SHOWN]]


def trained(engine: Engine, picture: Picture, seed: int, how: str, **asked: Any) -> tuple[str, float]:
    """A model, and how many seconds its training took.

    Args:
        how: a part of the model's name.
        asked: what else `train` takes.

    Raises:
        EngineError: why it could not.
    """
    started = engine.train(frame_of(picture), {}, seed=seed, name=f"bench {how} {seed}", **asked)
    ended = engine.watch(str(started["job"]))
    if ended["state"] != "done":
        raise EngineError.from_dict(ended.get("error") or {})
    return str(started["model"]), float(ended["figures"]["seconds"])


def _network(engine: Engine, model: str, real: np.ndarray, seed: int) -> tuple[float, int]:
    """SIFID of what a model's graph makes of noise, the mean over some; and the numbers that it holds."""
    from underdrawing.render.graph_runner import pixels_of
    from underdrawing.render.onnx_sessions import open_session

    rng = np.random.default_rng(seed)
    given = engine.model(model)["manifest"]["plan"]["graphs"][0]["inputs"]
    shapes = {i["name"]: (1, i["channels"], i["size"][1], i["size"][0]) for i in given}
    with tempfile.TemporaryDirectory() as folder:
        file = engine.model_file(model, "generator.onnx", Path(folder) / "generator.onnx")
        graph, session = onnx.load(file).graph, open_session(file, wanted="cpu")
        found = []
        for _ in range(VARIATIONS):
            made = pixels_of(session.run({n: rng.standard_normal(s, np.float32) for n, s in shapes.items()}))
            found.append(sifid(made, small_copy(real, made.shape[1], made.shape[0])))
    held = [entry.dims for entry in graph.initializer if len(entry.dims) > 0 and entry.data_type == 1]
    return float(np.mean(found)), sum(int(np.prod(dims)) for dims in held)


def as_markdown(rows: Sequence[GenerateRow]) -> str:
    """Tables of means over seeds, with the largest difference between seeds where there are several."""
    lines: list[str] = []
    for keys in (("colour", "gradients", "seam"), ("sifid", "network", "diversity", "seconds", "parameters")):
        fitting = [row for row in rows if row.figures and keys[0] in row.figures[0]]
        if fitting:
            lines += ["| | | " + " | ".join(keys) + " |", "|---|---|" + "---|" * len(keys)]
            lines += [f"| {r.name} | {r.how} | " + " | ".join(_cell(r, key) for key in keys) + " |" for r in fitting]
            lines.append("")
    return "\n".join(lines)


def _cell(row: GenerateRow, key: str) -> str:
    values = [f[key] for f in row.figures if key in f]
    apart = max(values) - min(values)
    text = f"{row.mean(key):,.0f}" if row.mean(key) >= 100 else f"{row.mean(key):.3g}"
    return f"{text} ± {apart / 2:.2g}" if len(values) > 1 and apart > 0 else text
