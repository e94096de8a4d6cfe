"""Mixed work for a long time: memory, handles and threads end as they began; the figures are printed."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import psutil
import pytest

from underdrawing.client.engine import Engine

from .conftest import QUICK_OPTIONS, RENDERER, children, library_is_whole, picture, pid, train, trained


class Soak:
    """Rounds of everything that an engine is asked for, and what it cost."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.engine = Engine.connect(home=home)
        self.model = trained(self.engine)
        self.latencies: list[float] = []
        self.rounds = 0

    def round(self) -> None:
        """One of everything."""
        self.rounds += 1
        number = self.rounds
        shown, _, edit = picture(number % 50)
        for _ in range(3):
            began = time.monotonic()
            assert self.engine.apply(self.model, {"segments": edit}).body["width"]
            self.latencies.append(time.monotonic() - began)
        self.engine.make_primitive(shown, "segments", regions=3)
        with Engine.connect(home=self.home, bridge=number % 5 == 0) as second:
            second.rename(self.model, f"name {number}")
            other = trained(second, f"draft {number}", number % 50)
            second.apply(other, {"segments": edit})
            second.export_model(other, self.folder / "m.underdrawing")
            came = second.import_model(self.folder / "m.underdrawing")["id"]
            for gone in (other, came):
                second.delete(gone)
        if number % 10 == 0:
            begun = train(self.engine, "trained", number, method="deepsim", options=QUICK_OPTIONS, iterations=2)
            self.engine.watch(begun["job"], deadline=240)
            self.engine.delete(begun["model"])
        if number % 25 == 0:
            self.engine.unload()
        time.sleep(0.2)

    def go_on(self, seconds: float) -> None:
        """Rounds for so long, one at least."""
        until = time.monotonic() + seconds
        self.round()
        while time.monotonic() < until:
            self.round()

    def standing(self) -> dict[str, float]:
        """What the daemon holds now, and the latency of the last rounds."""
        assert self.engine.apply(self.model, {"segments": picture()[2]}).body["width"]
        time.sleep(1.0)
        process = psutil.Process(pid(self.home))
        renderers = children(process.pid, RENDERER)
        spool = sum(1 for _ in (self.home / "spool").iterdir())
        found = {
            "daemon_mib": process.memory_info().rss / 2**20,
            "renderer_mib": sum(p.memory_info().rss for p in renderers) / 2**20,
            "handles": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
            "threads": process.num_threads(),
            "children": len(children(process.pid)),
            "spool_files": spool,
            "latency_ms": 1000 * statistics.median(self.latencies[-30:]),
            "rounds": self.rounds,
        }
        print({name: round(value, 1) for name, value in found.items()})
        return found


@pytest.mark.parametrize(
    ("warm", "seconds"), [(3.0, 6.0), pytest.param(120.0, 1680.0, marks=pytest.mark.long)], ids=["short", "30 minutes"]
)
def test_it_ends_as_it_began(
    own: Path, tmp_path: Path, warm: float, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    soak = Soak(own, tmp_path)
    with soak.engine:
        soak.go_on(warm)
        with capsys.disabled():
            print()
            first = soak.standing()
        before = pid(own)
        soak.go_on(seconds)
        with capsys.disabled():
            last = soak.standing()
        assert pid(own) == before
        assert last["daemon_mib"] < first["daemon_mib"] * 1.1 + 4
        assert last["renderer_mib"] < first["renderer_mib"] * 1.25 + 40
        assert last["handles"] <= first["handles"] + 4
        assert last["threads"] <= first["threads"] + 2
        assert last["children"] <= first["children"] + 1
        assert [entry["id"] for entry in soak.engine.models()] == [soak.model]
    assert library_is_whole(own) == 1
