"""What a file says beside its pixels, where width and height, units and neighbours differ."""

from __future__ import annotations

import struct

import pytest

from underdrawing.picture import ifd
from underdrawing.picture.metadata import Metadata, exif_facts, iptc_of, resolution_fields, resources_of


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_resolution_has_a_width_a_height_and_a_unit(order: str) -> None:
    fields = resolution_fields((300.0, 150.0), order)
    assert exif_facts(ifd.block(fields, order)) == (None, (300.0, 150.0))
    for unit, times in ((3, 2.54), (2, 1.0)):
        fields[ifd.RESOLUTION_UNIT] = ifd.TagEntry(ifd.SHORT, 1, struct.pack(order + "H", unit))
        found = exif_facts(ifd.block(fields, order))[1]
        assert found == pytest.approx((300 * times, 150 * times))
    fields[ifd.RESOLUTION_UNIT] = ifd.TagEntry(ifd.SHORT, 1, struct.pack(order + "H", 1))
    assert exif_facts(ifd.block(fields, order)) == (None, None), "a ratio without a unit is no resolution"


def test_iptc_records_are_found_behind_resources_of_odd_and_even_length() -> None:
    records = b"\x1c\x02\x78\x00\x05Coast"
    for before in (b"odd", b"even"):
        other = b"8BIM\x04\x05\x03abc" + struct.pack(">I", len(before)) + before + b"\0" * (len(before) % 2)
        assert iptc_of(other + resources_of(records)) == records
    assert iptc_of(resources_of(b"odd")) == b"odd"
    assert iptc_of(b"8BIM\x04\x05") == b""


def test_stripped_of_all_but_what_the_colours_need() -> None:
    colour = (b"gAMA", struct.pack(">I", 45_455))
    full = Metadata(b"MM", b"<x/>", b"\x1c", b"mine", (72.0, 96.0), ((b"tEXt", b"Author\0Maria"), colour), ("gone",))
    assert full.stripped() == Metadata(chunks=(colour,))
    assert full.stripped().lost == ("gone",)
