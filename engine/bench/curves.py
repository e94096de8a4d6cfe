"""Curves of quality over the time of training: a panel for each figure, a line for each method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from underdrawing.picture.contact_sheet import BACKGROUND, GAP, INK, TITLE

SIDE = (380, 260)  # of a panel, pixels
MARGIN = 56  # left of a panel, for its numbers
FAINT = (215, 215, 212)
COLOURS = ((30, 90, 180), (200, 70, 30), (40, 140, 70), (140, 60, 160), (190, 140, 20), (20, 140, 150), (110, 110, 110))


@dataclass(frozen=True)
class Line:
    """A method: its figures by seconds of training; what needs no training has 0 seconds and is drawn across."""

    name: str
    points: Mapping[float, Mapping[str, float]]


def curves(lines: Sequence[Line], figures: Sequence[str]) -> np.ndarray:
    """Panels side by side, with the logarithm of the seconds from left to right.

    Args:
        lines: the methods.
        figures: which of their figures are drawn; those that nobody has are left out.

    Returns:
        (H, W, 3) uint8.
    """
    seconds = sorted({second for line in lines for second in line.points if second > 0})
    shown = [figure for figure in figures if any(_known(line, figure) for line in lines)]
    width = max(1, len(shown)) * (MARGIN + SIDE[0] + GAP) + GAP
    canvas = Image.new("RGB", (width, TITLE + SIDE[1] + 2 * TITLE + 2 * GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    for number, figure in enumerate(shown):
        _panel(draw, font, number * (MARGIN + SIDE[0] + GAP) + GAP + MARGIN, figure, lines, seconds)
    x = GAP + MARGIN
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        y = TITLE + SIDE[1] + 2 * GAP + TITLE
        draw.line((x, y + 8, x + 22, y + 8), colour, 3)
        draw.text((x + 28, y), line.name, INK, font)
        x += 28 + round(draw.textlength(line.name, font)) + 2 * GAP
    return np.asarray(canvas)


def _known(line: Line, figure: str) -> dict[float, float]:
    """Its values of one figure by seconds."""
    values = {second: row.get(figure, math.nan) for second, row in sorted(line.points.items())}
    return {second: value for second, value in values.items() if not math.isnan(value)}


def _panel(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    left: int,
    figure: str,
    lines: Sequence[Line],
    seconds: Sequence[float],
) -> None:
    top, right, bottom = TITLE, left + SIDE[0], TITLE + SIDE[1]
    draw.text((left, GAP // 2), figure, INK, font)
    values = [value for line in lines for value in _known(line, figure).values()]
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.5
    low, high = low - room, high + room
    first, last = (math.log(seconds[0]), math.log(seconds[-1])) if seconds else (0.0, 0.0)

    def across(second: float) -> float:
        share = 0.5 if last == first else (math.log(second) - first) / (last - first)
        return left + (0.05 + 0.9 * share) * SIDE[0]

    def down(value: float) -> float:
        return bottom - (value - low) / (high - low) * SIDE[1]

    for share in (0.1, 0.5, 0.9):
        value = low + share * (high - low)
        draw.line((left, down(value), right, down(value)), FAINT)
        draw.text((left - MARGIN + 4, down(value) - 8), f"{value:.3g}", INK, font)
    for second in seconds:
        draw.line((across(second), top, across(second), bottom), FAINT)
        draw.text((across(second) - 10, bottom + 4), f"{second:g} s", INK, font)
    for number, line in enumerate(lines):
        colour, known = COLOURS[number % len(COLOURS)], _known(line, figure)
        still = known.pop(0.0, None)
        if still is not None:
            draw.line((left, down(still), right, down(still)), colour, 2)
        points = [(across(second), down(value)) for second, value in known.items()]
        if len(points) > 1:
            draw.line(points, colour, 3)
        for x, y in points:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
    draw.rectangle((left, top, right, bottom), outline=INK)
