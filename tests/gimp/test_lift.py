"""Things picked and lifted by scripts: layers, copies, several things, what is removed, what the file remembers."""

from __future__ import annotations

import pytest

from .conftest import Host

SUN, HOUSE = (68, 15), (25, 38)  # middles of things of the test picture


def test_a_lifted_thing_is_moved_copied_deleted_and_remembered(gimp: Host) -> None:
    told = gimp.case(
        """
image = opened()
source = image.get_layers()[0]
before = native(source)
(x, y), (hx, hy) = GIVEN["sun"], GIVEN["house"]
def middle(layer):
    _, left, top = layer.get_offsets()
    return left + layer.get_width() / 2, top + layer.get_height() / 2
layer, notes = call("pick", image, [source], x=x, y=y)
tell(layers=[one.get_name() for one in image.get_layers()], near=[abs(a - b) for a, b in zip(middle(layer), (x, y))],
     alpha=layer.has_alpha(), colour=colour_at(layer, layer.get_width() // 2, layer.get_height() // 2),
     own=colour_at(source, x, y), active=[one.get_name() for one in image.get_selected_layers()])
tell(still=failure("apply", image, [layer]))
layer.transform_translate(-40, 0)
made = call("apply", image, [layer])[0]
def at(made, x, y):
    _, left, top = made.get_offsets()
    return colour_at(made, x - left, y - top)
tell(moved=at(made, x - 40, y), filled=at(made, x, y), sky=colour_at(source, x, 2), hidden=not layer.get_visible(),
     shown=[one.get_name() for one in image.get_layers()], same=native(source) == before)
copy = layer.copy()
image.insert_layer(copy, None, 0)
copy.transform_translate(20, 0)
made = call("apply", image, [source])[0]
tell(copied=[at(made, x - 40, y), at(made, x - 20, y)])
image.remove_layer(copy)
path = Gio.File.new_for_path(GIVEN["folder"] + "/lifted.xcf")
Gimp.file_save(QUIET, image, path, None)
image = Gimp.file_load(QUIET, path)
for one in list(image.get_layers())[:-1]:
    image.remove_layer(one)
source = image.get_layers()[0]
made = call("apply", image, [source])[0]
tell(removed=at(made, x, y))
result, _ = call("pick", image, [source], x=hx, y=hy, action="remove")
tell(both=[at(result, x, y), at(result, hx, hy)], house=colour_at(source, hx, hy), names=[
    one.get_name() for one in image.get_layers()], original=native(source) == before)
call("pick", image, [source], x=hx, y=hy, action="select")
bounds = Gimp.Selection.bounds(image)
tell(selected=[bounds.x1 <= hx < bounds.x2, bounds.y1 <= hy < bounds.y2, bounds.x2 - bounds.x1 < 96])
Gimp.Selection.none(image)
tell(nothing=failure("lift-selection", image, [source]))
image.select_ellipse(Gimp.ChannelOps.REPLACE, x - 12, y - 12, 24, 24)
layer, _ = call("lift-selection", image, [source])
tell(by_selection=layer.get_name(), dropped=Gimp.Selection.is_empty(image))
""",
        sun=SUN,
        house=HOUSE,
    )
    assert told["layers"] == ["Lifted thing", "Background"]
    assert max(told["near"]) < 4
    assert told["alpha"]
    assert told["active"] == ["Lifted thing"]
    assert _near(told["colour"], told["own"], 30)
    assert "every lifted layer is unchanged" in told["still"]
    assert _near(told["moved"], told["own"], 30)
    assert not _near(told["filled"], told["own"], 60)
    assert told["hidden"]
    assert told["shown"] == ["Lifted thing", "Result", "Background"]
    assert told["same"]
    assert all(_near(colour, told["own"], 30) for colour in told["copied"])
    assert not _near(told["removed"], told["own"], 60), "its layer was deleted, the file remembers where it was"
    assert not _near(told["both"][0], told["own"], 60)
    assert not _near(told["both"][1], told["house"], 60)
    assert told["names"] == ["Result", "Background"]
    assert told["original"]
    assert all(told["selected"])
    assert "Nothing of the picture is selected" in told["nothing"]
    assert told["by_selection"] == "Lifted thing"
    assert told["dropped"]


@pytest.mark.long
def test_lifted_and_painted_edits_add_up_in_other_depths(gimp: Host) -> None:
    told = gimp.case(
        """
image = opened(192, 128)
image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
source = image.get_layers()[0]
x, y = (2 * one for one in GIVEN["sun"])
call("pick", image, [source], x=x, y=y)[0].transform_translate(-70, 4)
group = trained(image, source)
edited(group, 20, 90, 24, 20)
layer = call("apply-options", image, [source], baked=True)[0]
_, left, top = layer.get_offsets()
tell(names=[one.get_name() for one in image.get_layers()], wide=[left, left + layer.get_width()],
     sun=colour_at(source, x, y), moved=colour_at(layer, x - 70 - left, y + 4 - top))
lifted = [one for one in image.get_layers() if one.get_name() == "Lifted thing"][0]
lifted.set_opacity(40.0)
faint = call("apply", image, [lifted])[0]
_, left, top = faint.get_offsets()
tell(faint=colour_at(faint, x - 70 - left, y + 4 - top), live=call("live", image, [lifted])[0])
image.scale(96, 64)
tell(scaled=failure("apply", image, [source]))
""",
        sun=SUN,
    )
    assert told["names"] == ["Lifted thing", "Underdrawing", "Result", "Baked copy", "Background"]
    assert told["wide"][0] < 44
    assert _near(told["moved"], told["sun"], 30)
    assert not _near(told["faint"], told["sun"], 30), "opacity counts"
    assert told["live"] == 1
    assert "since something was lifted off it" in told["scaled"]


def _near(one: list[int], other: list[int], by: int) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= by


def test_edits_are_listed_and_each_is_taken_back_by_itself(gimp: Host) -> None:
    told = gimp.case(
        """
image = opened(192, 128)
source = image.get_layers()[0]
before = native(source)
x, y = (2 * one for one in GIVEN["sun"])
call("pick", image, [source], x=x, y=y, action="remove")
group = trained(image, source)
edited(group, 20, 90, 24, 20)
segments = planes(group)["Segments"]
painted = native(segments)
both = call("apply", image, [source])[0]
def at(made, x, y):
    _, left, top = made.get_offsets()
    return colour_at(made, x - left, y - top)
def result():
    return [one for one in image.get_layers() if one.get_name() == "Result"]
titles, _, _ = call("edits", image, [segments])
tell(titles=titles.splitlines(), sun=colour_at(source, x, y), both=at(both, x, y), beyond=failure(
    "edits", image, [segments], take_back=9))
left, layer, _ = call("edits", image, [segments], take_back=2)
_, x0, y0 = layer.get_offsets()
tell(left=left.splitlines(), returned=x0 > x or x0 + layer.get_width() <= x or y0 > y or y0 + layer.get_height() <= y,
     stays=native(segments) == painted)
call("edits", image, [segments], take_back=1)
tell(none=len(result()), areas=native(segments) != painted, same=native(source) == before,
     listed=call("edits", image, [segments])[0])
""",
        sun=SUN,
    )
    assert len(told["titles"]) == 2 and told["titles"][1] == "Thing removed", told["titles"]
    assert not _near(told["both"], told["sun"], 60)
    assert "There is no edit 9: the list has 2" in told["beyond"]
    assert told["left"] == told["titles"][:1]
    assert told["returned"], "the result reaches to the thing that is there again"
    assert told["stays"]
    assert told["none"] == 0
    assert told["areas"]
    assert told["same"]
    assert told["listed"] == ""
