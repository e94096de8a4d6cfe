"""How much of an underdrawing is as it was made."""

from __future__ import annotations

import numpy as np
import pytest

from underdrawing.picture.underdrawing_agreement import agreement

RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(at: int) -> np.ndarray:
    segments = np.full((20, 40, 3), RED, np.uint8)
    segments[:, at:] = BLUE
    return segments


def test_agreement() -> None:
    lines = np.full((20, 40, 3), 255, np.uint8)
    lines[10] = 0
    half = lines.copy()
    half[10, 20:] = 255
    made = {"segments": halves(20), "edges": lines[..., 0]}
    assert agreement(made, {}) == agreement(made, {**made, "edges": lines}) == 1.0
    assert agreement(made, {"edges": half}) == pytest.approx(0.5, abs=0.05)
    assert agreement(made, {"segments": halves(30)}) == pytest.approx(0.75)
    noisy = (halves(20).astype(int) + 9).clip(0, 255).astype(np.uint8)
    assert agreement(made, {"segments": noisy}) == 1.0, "noise of a lossy file is no edit"
    assert agreement(made, {"segments": halves(20)[:10]}) == 0.0, "another size"
    assert agreement(made, {"paint": halves(20)}) == 0.0
