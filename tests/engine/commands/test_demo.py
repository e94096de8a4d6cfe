"""`underdrawing demo`, the README's first command: every picture is there, and the edits changed what they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from underdrawing.client.engine import Engine
from underdrawing.commands import demo
from underdrawing.picture.files import read_picture


def test_the_demo_writes_a_sheet_for_each_edit(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "démo pictures"
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing", "demo", "--out", str(out)],
        env={**os.environ, "UNDERDRAWING_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Try an edit yourself, on {out / 'coffee.png'}" in done.stdout
    with Engine.connect(start=False, home=home) as engine:
        assert sorted(str(model["name"]) for model in engine.models()) == ["demo coffee", "demo rocket"]
        engine.shutdown()
        engine.wait_for_end()
    for shown in demo.PICTURES:
        before = read_picture(out / f"{shown.name}.png").to_bytes()
        for edit in shown.edits:
            assert (out / f"{edit.name}.sheet.png").is_file()
            after = read_picture(out / f"{edit.name}.png").to_bytes()
            mask = read_picture(out / f"{edit.name}.mask.png").to_bytes()
            changed = np.any(before != after, axis=2)
            assert changed.any()
            assert not changed[np.all(mask == 0, axis=2)].any(), "outside the mask every pixel is untouched"
