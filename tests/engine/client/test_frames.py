"""Frames: every depth and order, gaps between rows, profiles, hashes; and headers from people who mean no good."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from underdrawing.client.frames import BYTES, CHANNELS, MOST_DATA, MOST_PROFILE, MOST_SIDE, Frame, check_header
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.picture.metadata import Metadata
from underdrawing.store.frame_codec import frame_of, picture_of

DTYPES = {"u8": "u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}


def pixels_of(depth: str, channels: int, height: int = 5, width: int = 7) -> np.ndarray:
    values = np.random.default_rng(channels).random((height, width, channels))
    return (values * 255 if depth == "u8" else values * 65535 if depth == "u16" else values).astype(DTYPES[depth])


def code_of(header: dict[str, Any], blob: bytes = b"") -> str:
    with pytest.raises(EngineError) as caught:
        Frame.parse(header, blob)
    return caught.value.code


@pytest.mark.parametrize("order", CHANNELS)
@pytest.mark.parametrize("depth", BYTES)
def test_every_depth_and_order_there_and_back(depth: str, order: str) -> None:
    pixels = pixels_of(depth, CHANNELS[order])
    frame = Frame(7, 5, order, depth, pixels.tobytes(), linear=depth == "f32", profile=b"icc")
    assert frame.stride == 7 * CHANNELS[order] * BYTES[depth] and frame.size == frame.stride * 5 + 3
    back = Frame.parse(json.loads(json.dumps(frame.header())), frame.blob())
    assert back.hash == frame.hash and back.header() == frame.header()
    assert bytes(back.data) == pixels.tobytes() and back.profile == b"icc"
    picture = picture_of(back)
    assert picture.linear == frame.linear and picture.profile == b"icc"
    colours = pixels[..., : picture.channels]
    assert np.array_equal(picture.pixels, colours[..., ::-1] if order == "BGRA" else colours)
    assert (picture.alpha is not None) == (order in ("LA", "RGBA", "BGRA"))
    if picture.alpha is not None:
        assert np.array_equal(picture.alpha, pixels[..., -1])
    again = frame_of(picture)
    assert again.order == order.replace("BGRA", "RGBA") and again.depth == depth
    assert picture_of(again).hash == picture.hash


@pytest.mark.parametrize("depth", BYTES)
def test_gaps_between_rows_are_left_out(depth: str) -> None:
    pixels = pixels_of(depth, 3)
    rows = pixels.reshape(5, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, 11)), constant_values=77)
    frame = Frame(7, 5, "RGB", depth, padded.tobytes(), stride=padded.shape[1])
    assert np.array_equal(picture_of(Frame.parse(frame.header(), frame.blob())).pixels, pixels)
    assert frame.hash != Frame(7, 5, "RGB", depth, pixels.tobytes()).hash


def test_the_hash_depends_on_everything_that_a_picture_says() -> None:
    data = bytes(range(48))
    frames = [
        Frame(4, 4, "RGB", "u8", data),
        Frame(2, 8, "RGB", "u8", data),
        Frame(3, 4, "RGBA", "u8", data),
        Frame(3, 4, "BGRA", "u8", data),
        Frame(3, 4, "LA", "u16", data),
        Frame(3, 4, "LA", "f16", data),
        Frame(3, 4, "L", "f32", data),
        Frame(3, 4, "L", "f32", data, linear=True),
        Frame(4, 4, "RGB", "u8", data, profile=b"p"),
        Frame(4, 4, "RGB", "u8", data, profile=b"q"),
        Frame(4, 4, "RGB", "u8", bytes(48)),
    ]
    assert len({frame.hash for frame in frames}) == len(frames)
    assert Frame(4, 4, "RGB", "u8", bytearray(data)).hash == frames[0].hash
    assert Frame(4, 4, "RGB", "u8", np.frombuffer(data, np.uint16)).hash == frames[0].hash


def test_a_picture_that_cannot_be_is_refused_when_it_is_made() -> None:
    for width, height, order, depth, size in (
        (0, 1, "L", "u8", 0),
        (1, -1, "L", "u8", 0),
        (MOST_SIDE + 1, 1, "L", "u8", MOST_SIDE + 1),
        (2, 2, "RGBX", "u8", 16),
        (2, 2, "RGB", "u64", 12),
        (2, 2, "RGB", "u8", 11),
        (2, 2, "RGB", "u8", 13),
    ):
        with pytest.raises(EngineError):
            Frame(width, height, order, depth, bytes(size))
    with pytest.raises(EngineError, match="rows"):
        Frame(2, 2, "RGB", "u8", bytes(10), stride=5)
    for profile in (b"", bytes(MOST_PROFILE + 1)):
        with pytest.raises(EngineError, match="profile"):
            Frame(1, 1, "L", "u8", b"0", profile=profile)


HEADER = Frame(4, 3, "RGB", "u8", bytes(36)).header()
WORDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@pytest.mark.parametrize("key", [key for key in HEADER if key not in ("hash", "linear")])
@given(value=WORDS)
def test_a_damaged_header_is_refused_before_anything_is_allocated(key: str, value: object) -> None:
    if type(value) is type(HEADER[key]) and value == HEADER[key]:
        return
    assert code_of({**HEADER, key: value}, bytes(36)) == "bad_frame"


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 1 << 17, "height": 1 << 17, "stride": 3 << 17},
        {"stride": MOST_DATA},
        {"stride": 11},
        {"depth": "u16"},
        {"order": "RGBA"},
        {"profile_size": MOST_PROFILE + 1},
        {"metadata_size": 0},
        {"metadata_size": (64 << 20) + 1},
        {"metadata_size": "12"},
        {"linear": 1},
        {"width": True},
        {"width": 4.0},
    ],
)
def test_impossible_sizes_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EngineError) as caught:
        check_header({**HEADER, **changes})
    assert caught.value.code == "bad_frame"


def test_metadata_travel_with_a_picture_and_change_its_hash() -> None:
    about = Metadata(b"II*\0exif", b"<x/>", b"\x1c\x02", b"hello", (300.0, 240.5), ((b"tEXt", b"Title\0Sea"),))
    picture = Picture(np.zeros((3, 4, 3), np.uint8), profile=b"icc", metadata=about)
    frame = frame_of(picture)
    again = Frame.parse(frame.header(), frame.blob())
    assert picture_of(again).metadata == about
    assert picture_of(again).profile == b"icc"
    assert frame.hash == again.hash != frame_of(Picture(picture.pixels, profile=b"icc")).hash


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"exif": 3}', b'{"exif": "?"}', b'{"chunks": [["QQ==", ""]]}', b"\xff"]
)
def test_damaged_metadata_are_none(data: bytes) -> None:
    assert Metadata.from_bytes(data) == Metadata()


def test_too_few_and_too_many_bytes_are_refused() -> None:
    assert [code_of(HEADER, bytes(size)) for size in (0, 35, 37)] == ["bad_frame"] * 3
    assert check_header({k: v for k, v in HEADER.items() if k != "linear"})["linear"] is False


def test_big_endian_pictures_are_sent_little_endian() -> None:
    little = pixels_of("u16", 3)
    frame = frame_of(Picture(little.astype(np.uint16)))
    assert bytes(frame.data) == little.tobytes()
