"""What is bit for bit the same outside of the mask, for each depth, curve and profile: the table of docs/gimp.md."""

from __future__ import annotations

import re

import pytest

from .conftest import ROOT, Host

DEPTHS = ("U8", "U16", "U32", "HALF", "FLOAT")
CURVES = ("NON_LINEAR", "LINEAR", "PERCEPTUAL")
PROFILES = ("sRGB", "AdobeRGB")
CASES = [(f"{depth}_{curve}", profile) for depth in DEPTHS for curve in CURVES for profile in PROFILES]
SOME = [("U16_NON_LINEAR", "AdobeRGB"), ("FLOAT_LINEAR", "sRGB")]

BODY = """
from gi.repository import Gimp
kinds = {}
for precision, profile in GIVEN["cases"]:
    image = opened()
    image.convert_precision(getattr(Gimp.Precision, precision))
    if profile == "AdobeRGB":
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    source = image.get_layers()[0]
    # Values between the steps of 8 bits, so that nothing is exact by chance.
    buffer = source.get_buffer()
    name = Babl.get_name(source.get_format())
    noise = __import__("random").Random(1)
    data = bytearray(native(source))
    step = len(data) // (96 * 64 * 3)
    if step > 1:
        for place in range(0, len(data), step):
            data[place] = noise.randrange(256)
    buffer.set(rect(0, 0, 96, 64), name, bytes(data))
    buffer.flush()
    before = native(source)
    flat = image.duplicate()
    seen_before = native(flat.flatten())
    flat.delete()
    group = trained(image)
    drawn = planes(group)
    edited(group)
    layer = call("apply-options", image, baked=True, feather=4.0)[0]
    mask = layer.get_mask()
    _, x, y = layer.get_offsets()
    wide, high = layer.get_width(), layer.get_height()
    values = native(mask)
    size = len(values) // (wide * high)
    whole = [bytes(size)] * (96 * 64)
    for row in range(high):
        for column in range(wide):
            place = (row * wide + column) * size
            whole[(y + row) * 96 + x + column] = values[place:place + size]
    outside = [not any(value) for value in whole]
    def same(one, other):
        pixel = len(one) // (96 * 64)
        return all(one[n * pixel:(n + 1) * pixel] == other[n * pixel:(n + 1) * pixel]
                   for n in range(96 * 64) if outside[n])
    baked = [one for one in image.get_layers() if one.get_name().startswith("Baked")][0]
    merged = image.duplicate()
    seen = native(merged.flatten())
    merged.delete()
    note = json.loads(bytes(image.get_parasite("underdrawing").get_data()).decode())
    kinds[precision + " " + profile] = {
        "source": native(source) == before,
        "baked": same(before, native(baked)),
        "baked changed": before != native(baked),
        "merged": same(seen_before, seen),
        "outside": sum(outside), "inside": 96 * 64 - sum(outside), "seen": note["checked"],
        "soft": any(0 < value[-1] and any(value) and value != max(whole) for value in whole),
    }
    image.delete()
model_hashes = {model["picture_hash"] for model in json.loads(call("engine", action="models"))}
for found in kinds.values():
    found["known"] = found.pop("seen") in model_hashes
tell(kinds=kinds)
"""


class Table:
    """What GIMP shows for each depth, curve and profile, found where it is asked for: those of `SOME` alone, or all."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.kinds: dict[str, dict[str, object]] = {}

    def rows(self, cases: list[tuple[str, str]]) -> dict[str, dict[str, object]]:
        if any(f"{precision} {profile}" not in self.kinds for precision, profile in cases):
            asked = SOME if set(cases) <= set(SOME) else [case for case in CASES if " ".join(case) not in self.kinds]
            for start in range(0, len(asked), 10):
                self.kinds.update(self.host.case(BODY, cases=asked[start : start + 10])["kinds"])
        return {f"{precision} {profile}": self.kinds[f"{precision} {profile}"] for precision, profile in cases}


@pytest.fixture(scope="module")
def table(shared_host: Host) -> Table:
    return Table(shared_host)


@pytest.mark.parametrize(
    ("precision", "profile"),
    [pytest.param(*case, marks=[] if case in SOME else pytest.mark.long) for case in CASES],
)
def test_the_source_and_the_baked_copy_are_exact(table: Table, precision: str, profile: str) -> None:
    (found,) = table.rows([(precision, profile)]).values()
    assert found["source"]
    assert found["baked"]
    assert found["baked changed"]
    assert int(str(found["outside"])) > 1000
    assert int(str(found["inside"])) > 100
    assert found["known"], "the picture must be recognised by its pixels"


@pytest.mark.parametrize("cases", [SOME, pytest.param(CASES, marks=pytest.mark.long)], ids=["some", "all"])
def test_the_document_has_the_table(table: Table, cases: list[tuple[str, str]]) -> None:
    text = (ROOT / "docs" / "gimp.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([A-Z0-9]+)_(\w+) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$", text, re.MULTILINE)
    told = {f"{depth}_{curve} {profile}": row for depth, curve, profile, *row in found}
    words = {True: "exact", False: "no"}
    rows = table.rows(cases)
    shown = {name: [words[bool(found[key])] for key in ("source", "baked", "merged")] for name, found in rows.items()}
    assert {name: told[name] for name in shown} == shown
    assert len(told) == len(CASES)
