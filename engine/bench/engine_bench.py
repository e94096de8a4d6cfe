"""Figures of the engine itself: how long things take, how much memory they need, how exact an export is.

Everything is measured in one run on an engine of its own in a temporary folder. Figures of different runs or machines
are not to be compared; the ratios within one run are.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from bench.train_monitor import follow
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import read_picture
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive, read_primitive
from underdrawing.store.frame_codec import frame_of, picture_of

ASSETS = Path(__file__).parents[1] / "underdrawing" / "_demo"
TURNS = 9  # of everything quick; the median counts
STEPS = 12  # iterations of the training that is measured

Say = Callable[[str], None]


def median_ms(action: Callable[[], object], turns: int = TURNS) -> float:
    """The median time of an action in milliseconds, after one turn to warm up."""
    action()
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 2)


def square(side: int) -> tuple[Picture, Primitive]:
    """The demonstration's picture and underdrawing as a square of this side."""
    picture, primitive = read_picture(ASSETS / "coffee.png"), read_primitive(ASSETS / "drawn.png")
    pixels = cv2.resize(picture.pixels[:, 100:500], (side, side), interpolation=cv2.INTER_AREA)
    segments = primitive.segments
    if segments is None or primitive.palette is None:
        raise ValueError("the demonstration's underdrawing has no segments")
    classes = cv2.resize(segments[:, 100:500], (side, side), interpolation=cv2.INTER_NEAREST)
    return Picture(pixels), Primitive(segments=classes, palette=primitive.palette)


def train(engine: Engine, side: int, folder: Path) -> dict[str, Any]:
    """A short training of a square at its full size: what it came to, and the most memory that its worker took."""
    picture, primitive = square(side)
    frames = {name: frame_of(Picture(plane)) for name, plane in primitive.planes().items()}
    options: dict[str, Any] = {
        "method": "deepsim",
        "iterations": STEPS,
        "options": {"pixels": 0, "pixels_gpu": 0},
        "name": f"square {side}",
    }
    palette = [] if primitive.palette is None else primitive.palette.to_json()
    started = engine.train(frame_of(picture), frames, palette=palette, **options)
    _, most = follow(engine, started["job"])
    manifest = engine.model(started["model"])["manifest"]
    figures = manifest["figures"]
    return {
        "model": started["model"],
        "halo": manifest["plan"]["halo"],
        "device": figures["device"],
        "seconds_per_iteration": round(figures["seconds"] / figures["iterations"], 3),
        "worker_memory_mb": round(most),
        "export_difference": max(figures["export_difference"].values()),
    }


def applying(engine: Engine, side: int, trained: dict[str, Any]) -> dict[str, Any]:
    """Whole and region applies on a warm model, and what an edit changes far away from it."""
    _, primitive = square(side)
    planes = primitive.planes()
    if primitive.palette is None:
        raise ValueError("the demonstration's underdrawing has no palette")
    planes["segments"] = planes["segments"].copy()
    planes["segments"][8:48, 8:48] = primitive.palette.colours[2]
    edited = {name: frame_of(Picture(plane)) for name, plane in planes.items()}
    own = {name: frame_of(Picture(plane)) for name, plane in primitive.planes().items()}
    model = trained["model"]
    inside: list[float] = []

    def apply(whole: bool) -> None:
        inside.append(engine.apply(model, edited, whole=whole).body["seconds"] * 1000)

    whole = median_ms(lambda: apply(True))
    overhead = whole - statistics.median(inside[-TURNS:])
    region = median_ms(lambda: apply(False))

    def pixels(planes: dict[str, Any]) -> np.ndarray:
        reply = engine.apply(model, planes, whole=True)
        return picture_of(engine.result(reply, reply.body["picture"])).pixels.astype(np.int16)

    change = np.abs(pixels(edited) - pixels(own)).max(2)
    far = 48 + trained["halo"]
    beyond = int(max(change[far:].max(initial=0), change[:, far:].max(initial=0)))
    return {
        "apply_whole_ms": whole,
        "apply_region_40px_ms": region,
        "of_that_messages_ms": round(overhead, 2),
        "change_beyond_halo_levels": beyond,
        "change_of_the_edit_levels": int(change[8:48, 8:48].max()),
    }


def messages(engine: Engine) -> dict[str, Any]:
    """Round trips and uploads."""
    generator = np.random.default_rng(0)

    def fresh(height: int, width: int, dtype: type) -> Picture:
        return Picture(generator.integers(0, 255, (height, width, 3)).astype(dtype))

    big = fresh(4000, 6000, np.uint16)
    start = time.perf_counter()
    frame = frame_of(big)
    engine.upload(frame)
    first = time.perf_counter() - start
    start = time.perf_counter()
    engine.upload(frame)
    again = time.perf_counter() - start
    return {
        "hello_ms": median_ms(engine.hello, 50),
        "upload_256x256_ms": median_ms(lambda: engine.upload(frame_of(fresh(256, 256, np.uint8)))),
        "upload_24mp_16bit_s": round(first, 2),
        "upload_24mp_again_ms": round(again * 1000, 1),
    }


def startup() -> dict[str, Any]:
    """How long `underdrawing --help` takes beside Python itself."""

    def run(*words: str) -> None:
        subprocess.run([sys.executable, *words], check=True, capture_output=True)

    python = median_ms(lambda: run("-c", "pass"), 5)
    helped = median_ms(lambda: run("-m", "underdrawing", "--help"), 5)
    return {"python_ms": python, "help_ms": helped}


def bench(say: Say = lambda _: None) -> dict[str, Any]:
    """Everything, as one object."""
    with tempfile.TemporaryDirectory(prefix="underdrawing-bench-") as name:
        home = Path(name)
        say("starting an engine")
        start = time.perf_counter()
        engine = Engine.connect(home=home)
        found: dict[str, Any] = {
            "machine": {"processor": processor(), "cores": psutil.cpu_count(), "python": platform.python_version()},
            "start_engine_s": round(time.perf_counter() - start, 2),
        }
        try:
            say("messages")
            found["messages"] = messages(engine)
            for side in (256, 512):
                say(f"training and applying at {side} x {side}")
                trained = train(engine, side, home)
                found[f"square_{side}"] = {**trained, **applying(engine, side, trained)}
            found["daemon_memory_mb"] = round(engine.status()["memory"] / 1e6, 1)
            found["renderer_memory_mb"] = round(int((engine.status()["renderer"] or {}).get("memory", 0)) / 1e6)
            say("the command line")
            found["command_line"] = startup()
        finally:
            with suppress(EngineError):
                engine.shutdown()
            engine.close()
            time.sleep(0.5)
    return found


def processor() -> str:
    """The processor's name, where the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def as_markdown(found: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = ["| figure | value |", "|---|---|"]

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{prefix} {key}".strip(), inner)
        elif not prefix.endswith(" model"):
            lines.append(f"| {prefix.replace('_', ' ')} | {value} |")

    add("", found)
    return "\n".join(lines) + "\n"
