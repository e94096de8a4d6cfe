"""A picture that is cropped, scaled, mirrored or turned after training: its model is used where that is exact."""

from __future__ import annotations

import pytest

from .conftest import Host

FOLLOWED = """
def mirrored_and_turned(image):
    image.flip(Gimp.OrientationType.VERTICAL)
    image.rotate(Gimp.RotationType.DEGREES270)
def cropped_and_turned(image):
    image.crop(60, 50, 17, 9)
    image.rotate(Gimp.RotationType.DEGREES90)
def half_turned(image):
    image.rotate(Gimp.RotationType.DEGREES180)
def scaled(image):
    Gimp.context_set_interpolation(Gimp.InterpolationType.LINEAR)
    image.scale(144, 96)
first = opened()
group = trained(first)
model = call("train", first)[0]
found = {}
for change in (mirrored_and_turned, cropped_and_turned, half_turned, scaled):
    image = first.duplicate()
    change(image)
    group, source = image.get_layers()[0], image.get_layers()[-1]
    before = native(source)
    again = call("train", image, [source])
    edited(group, 12, 10, 16, 14)
    layer = call("apply-options", image, [source], baked=True, feather=0.0)[0]
    baked = [one for one in image.get_layers() if one.get_name() == "Baked copy"][0]
    x, y = layer.get_offsets()[1:]
    wide, high = source.get_width(), source.get_height()
    painted = native(layer.get_mask(), rect(18 - x, 15 - y, 4, 4))
    after, pixel = native(baked), len(before) // (wide * high)
    changed = [n for n in range(wide * high) if before[n * pixel:(n + 1) * pixel] != after[n * pixel:(n + 1) * pixel]]
    found[change.__name__] = {
        "known": again[:1] + again[2:3] == [model, "done"], "source": native(source) == before,
        "inside": 0 <= x and 0 <= y and x + layer.get_width() <= wide and y + layer.get_height() <= high,
        "painted": min(painted), "columns": [min(n % wide for n in changed), max(n % wide for n in changed)],
        "rows": [changed[0] // wide, changed[-1] // wide],
    }
tell(found=found, live=call("live", image, [source])[0])
"""

ASKED = """
first = opened()
group = trained(first)
def retouched(image):
    paint(image.get_layers()[-1], 30, 4, 8, 8, (3, 200, 90))
image = first.duplicate()
image.scale(48, 32)
retouched(image)
source = image.get_layers()[-1]
edited(image.get_layers()[0], 8, 8, 16, 10)
tell(refused=failure("apply", image, [source]), layers=len(image.get_layers()), live=failure("live", image, [source]))
layer = call("apply", image, [source], changed="use")[0]
tell(used=[layer.get_width() <= 48, max(native(layer.get_mask()))], again=call("apply", image, [source])[1])
tell(moved=image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 10, 10) or call("move", image, [source], dx=5))
image = first.duplicate()
image.resize(96, 40, 0, 0)
image.get_layers()[-1].resize(96, 40, 0, 0)
retouched(image)
source = image.get_layers()[-1]
paint(source, 40, 10, 8, 8, (3, 200, 90))
tell(other=failure("apply", image, [source], changed="use"))
before = call("train", first)[0]
fresh = call("train", image, [source], method="draft")
edited(image.get_layers()[0], 8, 8, 16, 10)
tell(anew=fresh[0] != before, applied=call("apply", image, [source])[1])
image = first.duplicate()
retouched(image)
edited(image.get_layers()[0])
tell(retouched=call("apply", image)[1])
"""


def test_the_model_follows_the_picture_to_the_bit(gimp: Host) -> None:
    told = gimp.case(FOLLOWED)
    for name, found in told["found"].items():
        assert found["known"], name
        assert found["source"], name
        assert found["inside"], name
        assert found["painted"] == 255, (name, found)
        for first, last in (found["columns"], found["rows"]):
            assert first <= 20 <= last, (name, found)
            assert last - first < 50, (name, found)
    assert told["live"] == 1


@pytest.mark.long
def test_what_cannot_be_followed_is_asked_about(gimp: Host) -> None:
    told = gimp.case(ASKED)
    assert "cropped, scaled or rotated" in told["refused"]
    assert "changed=use" in told["refused"]
    assert told["layers"] == 2
    assert "48 x 32" in told["live"]
    assert told["used"] == [True, 255]
    assert told["again"] == 1, "it is not asked a second time"
    assert "cropped, scaled or rotated" in told["other"]
    assert "changed=use" not in told["other"], "a picture of other proportions does not fit its model"
    assert told["anew"]
    assert told["applied"] == 1
    assert told["retouched"] == 1
