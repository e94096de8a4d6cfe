"""`underdrawing demo`, the README's first command: pictures are there, edits changed them, networks were trained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.commands import demo
from underdrawing.picture.files import read_picture


@pytest.mark.long
def test_the_demo_drafts_trains_applies_and_harmonizes(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "démo pictures"
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing", "demo", "--budget", "2s", "--out", str(out)],
        env={**os.environ, "UNDERDRAWING_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Try an edit yourself, on {out / 'coffee.png'}" in done.stdout
    with Engine.connect(start=False, home=home) as engine:
        names = sorted(str(model["name"]) for model in engine.models())
        assert names == ["demo coffee", "demo coffee, trained", "demo drawing", "demo rocket"]
        engine.shutdown()
        engine.wait_for_end()
    # The export was checked, and what training brought was measured, not assumed.
    assert "compared with torch" in done.stdout
    assert "Measured on 6 edits of this picture" in done.stdout
    for edit in demo.PICTURES[0].edits:
        assert (out / f"{edit.name}.trained.png").is_file()
    pasted, made = (read_picture(out / f"drawing_{name}.png").to_bytes() for name in ("pasted", "harmonized"))
    colour = np.ptp(pasted.astype(int), axis=2).max(), np.ptp(made.astype(int), axis=2).mean()
    assert colour[0] > 100 > 10 * colour[1], "the ball has become part of a drawing without colours"
    assert (out / "drawing.sheet.png").is_file()
    for shown in demo.PICTURES:
        for edit in shown.edits:
            assert (out / f"{edit.name}.sheet.png").is_file()
            check(out, shown, edit)


def check(out: Path, shown: demo.Shown, edit: demo.Edit) -> None:
    """The edit changed the picture, and outside the mask every pixel is untouched."""
    before, after = (read_picture(out / f"{name}.png").to_bytes() for name in (shown.name, edit.name))
    mask = read_picture(out / f"{edit.name}.mask.png").to_bytes()
    changed = np.any(before != after, axis=2)
    assert changed.any()
    assert not changed[np.all(mask == 0, axis=2)].any()


@pytest.mark.usefixtures("home")
def test_a_bundled_picture_is_drafted_by_the_demos_own_commands(tmp_path: Path) -> None:
    shown = demo.PICTURES[1]
    (edit,) = shown.edits
    picture, drawn = tmp_path / f"{shown.name}.png", tmp_path / "drawn.png"
    files = {shown.name: picture, shown.drawn: drawn, edit.name: tmp_path / f"{edit.name}.primitive.png"}
    for asset, file in files.items():
        file.write_bytes((demo.ASSETS / f"{asset}.png").read_bytes())
    try:
        demo.run("train", str(picture), str(drawn), "--name", "demo")
        demo.apply("demo", tmp_path, edit)
    finally:
        demo.run("engine", "stop")
    check(tmp_path, shown, edit)
