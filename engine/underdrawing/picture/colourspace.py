"""ICC profiles for files that say their colours in another way: the gAMA, cHRM, sRGB and cICP chunks of PNG."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])  # the profile connection space (ICC.1:2022, 7.2.16)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x and y of white, red, green, blue
PRIMARIES = {  # of cICP (ITU-T H.273, table 2)
    1: SRGB,
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
LINEAR, SRGB_CURVE = 8, 13  # transfer characteristics (H.273, table 3)
CURVES = {1: 2.4, 4: 2.2, LINEAR: 1.0, SRGB_CURVE: None, 14: 2.4, 15: 2.4}  # exponents of displays; None: sRGB's curve
USUAL = 2.2


def is_hdr(chunks: Mapping[bytes, bytes]) -> bool:
    """Whether the values are PQ or HLG, which no plain profile describes."""
    said = chunks.get(b"cICP", b"")
    return len(said) == 4 and said[1] in (16, 18)


def profile_of(chunks: Mapping[bytes, bytes], grey: bool) -> bytes | None:
    """The profile that says the same as the chunks of a PNG file without one.

    Returns:
        None where the values are sRGB, where nothing is said, and for PQ and HLG.
    """
    points, gamma = _said(chunks)
    usual = all(abs(a - b) < 0.002 for a, b in zip(points, SRGB, strict=True)) or grey
    if usual and (gamma is None or abs(gamma - USUAL) < 0.03):
        return None
    if points[1] <= 0 or any(points[at] <= 0 for at in (3, 5, 7)) or (gamma is not None and not 0.1 < gamma < 10):
        return None
    return _profile(points, gamma, grey)


def _said(chunks: Mapping[bytes, bytes]) -> tuple[tuple[float, ...], float | None]:
    """White and primaries as x and y, and the exponent that decodes values; None for sRGB's curve."""
    said = chunks.get(b"cICP", b"")
    if len(said) == 4:
        if said[0] in PRIMARIES and said[1] in CURVES and said[2] == 0:
            return PRIMARIES[said[0]], CURVES[said[1]]
        return SRGB, None
    if b"sRGB" in chunks:
        return SRGB, None
    points, gamma = SRGB, None
    if len(chunks.get(b"cHRM", b"")) == 32:
        points = tuple(value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"]))
    if len(chunks.get(b"gAMA", b"")) == 4:
        value = struct.unpack(">I", chunks[b"gAMA"])[0]
        gamma = 100_000 / value if value else None
    return points, gamma


def _profile(points: tuple[float, ...], gamma: float | None, grey: bool) -> bytes:
    """A display profile of version 2 (ICC.1:2001-04) for a matrix and one curve."""
    if gamma is None:
        encoded = np.linspace(0, 1, 1024)
        values = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        curve = struct.pack(">4sII", b"curv", 0, 1024) + np.rint(values * 65535).astype(">u2").tobytes()
    else:
        curve = struct.pack(">4sIIHH", b"curv", 0, 1, round(gamma * 256), 0)
    text = b"From the colour chunks of a PNG file\0"
    tags = {
        b"desc": struct.pack(">4sII", b"desc", 0, len(text)) + text + b"\0" * 78,
        b"cprt": struct.pack(">4sI", b"text", 0) + b"Public domain\0",
        b"wtpt": _xyz(D50),
    }
    if grey:
        tags[b"kTRC"] = curve
    else:
        matrix = _matrix(points)
        tags |= {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = start + len(body)
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _xyz(D50)[8:] + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def _matrix(points: tuple[float, ...]) -> np.ndarray:
    """From linear RGB to XYZ under D50, (3, 3)."""
    white, *primaries = (np.array([x, y, 1 - x - y]) / y for x, y in zip(points[::2], points[1::2], strict=True))
    columns = np.stack(primaries, axis=1)
    columns = columns * np.linalg.lstsq(columns, white, rcond=None)[0]
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    return np.asarray(np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ columns)


def _xyz(values: np.ndarray) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(float(value) * 65536) for value in values))
