"""Pictures as they really are: offsets, sizes, selections, groups, modes, several at a time, one changed pixel."""

from __future__ import annotations

import pytest

from .conftest import Host


@pytest.mark.long
def test_layers_with_offsets_smaller_and_larger_than_the_canvas(gimp: Host) -> None:
    told = gimp.case("""
found = {}
cases = (("smaller", (160, 120), (37, 21)), ("larger", (70, 50), (-13, -7)), ("beyond", (64, 64), (50, 40)))
for name, canvas, offset in cases:
    image = opened()
    image.resize(*canvas, *offset)
    source = image.get_layers()[0]
    before, place = native(source), source.get_offsets()[1:]
    group = trained(image)
    drawn = planes(group)
    found[name] = {"place": place, "planes": [layer.get_offsets()[1:] for layer in drawn.values()],
                   "size": [[layer.get_width(), layer.get_height()] for layer in drawn.values()]}
    edited(group, 20, 16, 24, 20)
    layer = call("apply", image)[0]
    x, y = layer.get_offsets()[1:]
    found[name].update(at=[x - place[0], y - place[1]], wide=layer.get_width(), high=layer.get_height(),
                       untouched=native(source) == before)
    image.delete()
tell(found=found)
""")
    for name, found in told["found"].items():
        assert found["planes"] == [found["place"]] * 2, name
        assert found["size"] == [[96, 64]] * 2, name
        x, y = found["at"]
        assert 8 <= x < x + found["wide"] <= 56, name
        assert 4 <= y < y + found["high"] <= 48, name
        assert found["untouched"], name


def test_a_selection_says_what_is_drawn_and_what_may_change(gimp: Host) -> None:
    told = gimp.case("""
image = opened(192, 128)
source = image.get_layers()[0]
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 20, 96, 64)
group = trained(image, source)
drawn = planes(group)
tell(place=drawn["Segments"].get_offsets()[1:], size=[drawn["Segments"].get_width(), drawn["Segments"].get_height()])
edited(group, 10, 10, 60, 40)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 40, 20, 20)
layer = call("apply", image)[0]
x, y = layer.get_offsets()[1:]
tell(limited=[x, y, layer.get_width(), layer.get_height()])
image.select_ellipse(Gimp.ChannelOps.REPLACE, 55, 35, 40, 30)
Gimp.Selection.feather(image, 8)
layer = call("apply", image)[0]
tell(soft=[*layer.get_offsets()[1:], layer.get_width(), layer.get_height()])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 100, 20, 20)
tell(outside=failure("apply", image), outside_layer=failure("move", image))
Gimp.Selection.none(image)
tell(no_selection=failure("apply-options", image, mask="selection"))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 44, 24, 16, 16)
tell(alone=call("apply-options", image, mask="selection", grow=0)[1])
small = opened()
small.resize(300, 300, 0, 0)
small.select_rectangle(Gimp.ChannelOps.REPLACE, 200, 200, 50, 50)
tell(beside=failure("make", small))
small.select_rectangle(Gimp.ChannelOps.REPLACE, 90, 60, 50, 50)
tell(tiny=failure("make", small))
""")
    assert told["place"] == [40, 20]
    assert told["size"] == [96, 64]
    x, y, width, height = told["limited"]
    assert x >= 60
    assert y >= 40
    assert x + width <= 80
    assert y + height <= 60
    x, y, width, height = told["soft"]
    assert x >= 40
    assert x + width <= 111
    assert height > 10
    assert "outside of the underdrawing" in told["outside"]
    assert "outside of the underdrawing" in told["outside_layer"]
    assert "Nothing is selected" in told["no_selection"]
    assert told["alone"] == 1
    assert "outside of the layer" in told["beside"]
    assert "too few" in told["tiny"]


@pytest.mark.long
def test_grey_indexed_and_transparent_pictures(gimp: Host) -> None:
    told = gimp.case("""
grey = opened()
grey.convert_grayscale()
tell(grey=failure("make", grey), only=len(Gimp.get_images()))
by_hand = grey.duplicate()
turned = grey.duplicate()
group = call("make", grey, kind="edges", known=False)[0]
source = grey.get_layers()[-1]
before = native(source)
call("train", grey, method="draft", again=True)
paint(planes(group)["Edges"], 20, 20, 30, 12, (255,)) if "Edges" in planes(group) else None
paint(planes(group)["Edges"], 20, 20, 30, 2, (0,))
layer = call("apply", grey)[0]
tell(applied=layer.is_gray(), untouched=native(source) == before)
fresh = opened()
fresh.convert_grayscale()
group, _, model, _ = call("make", fresh, kind="edges")
tell(one_plane=[model, sorted(planes(group))])
source = by_hand.get_layers()[0]
areas = Gimp.Layer.new(by_hand, "areas", 96, 64, Gimp.ImageType.GRAY_IMAGE, 100, Gimp.LayerMode.NORMAL)
by_hand.insert_layer(areas, None, 0)
paint(areas, 0, 0, 96, 64, (40,))
paint(areas, 0, 30, 96, 34, (200,))
call("use-layers", by_hand, [source], segments=areas)
call("train", by_hand, [source], method="draft", again=True)
paint(areas, 30, 10, 24, 12, (200,))
layer, _, unseen, _ = call("apply", by_hand, [source])
tell(greys=[layer.is_gray(), max(native(layer.get_mask())), unseen])
indexed = opened()
indexed.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
tell(indexed=failure("make", indexed))
converted = []
for image in (turned, indexed):
    before = [colour_at(image.get_layers()[0], x, 30) for x in range(0, 96, 7)]
    group = trained(image, convert=True)
    source = image.get_layers()[-1]
    after = [colour_at(source, x, 30) for x in range(0, 96, 7)]
    edited(group)
    layer = call("apply", image, [source])[0]
    converted.append([image.get_base_type() == Gimp.ImageBaseType.RGB, before == after, max(native(layer.get_mask())),
                      planes(group)["Segments"].is_rgb()])
tell(converted=converted)
clear = opened()
source = clear.get_layers()[0]
source.add_alpha()
buffer = source.get_buffer()
data = bytearray(native(source))
data[3::4] = bytes(n % 256 for n in range(96 * 64))
buffer.set(rect(0, 0, 96, 64), Babl.get_name(source.get_format()), bytes(data))
buffer.flush()
before = native(source)
group = trained(clear)
edited(group)
layer = call("apply-options", clear, baked=True)[0]
x, y = layer.get_offsets()[1:]
area = rect(x, y, layer.get_width(), layer.get_height())
baked = [one for one in clear.get_layers() if one.get_name() == "Baked copy"][0]
tell(alpha=layer.has_alpha(), kept=native(layer)[3::4] == native(source, area)[3::4],
     baked=native(baked)[3::4] == before[3::4], source=native(source) == before)
""")
    assert "grey" in told["grey"]
    assert "Mode > RGB" in told["grey"]
    assert told["applied"]
    assert told["untouched"]
    assert told["one_plane"] == ["", ["Edges"]], "the underdrawing of a draft is not taken for another picture"
    assert told["greys"] == [True, 255, ""], "areas drawn in greys are told apart by them"
    assert told["converted"] == [[True, True, 255, True]] * 2
    assert "indexed" in told["indexed"]
    assert "Mode > RGB" in told["indexed"]
    assert told["alpha"]
    assert told["kept"]
    assert told["baked"]
    assert told["source"]


@pytest.mark.long
def test_hidden_and_locked_layers_groups_and_several_pictures(gimp: Host) -> None:
    told = gimp.case("""
image, other = opened(), opened(80, 96)
source = image.get_layers()[0]
group = Gimp.GroupLayer.new(image, "my group")
image.insert_layer(group, None, 0)
image.reorder_item(source, group, 0)
source.set_lock_content(True)
source.set_visible(False)
top = trained(image, source)
tell(inside=top.get_parent().get_name())
other_group = trained(other)
edited(top)
edited(other_group, 12, 12, 20, 20)
first, second = call("apply", image, [source])[0], call("apply", other)[0]
tell(first=first.get_parent().get_name(), second=second.get_image().get_id() == other.get_id())
tell(several=failure("make", image, [source, group]))
copy = top.copy()
image.insert_layer(copy, group, 0)
sheet = copy.get_children()[-1]
paint(sheet, 50, 40, 12, 12, colour_at(sheet, 2, 2))
image.set_selected_layers([sheet])
layer = call("apply", image, [source])[0]
tell(beside=[*layer.get_offsets()[1:], layer.get_width(), layer.get_height()])
image.remove_layer(copy)
image.remove_layer(top)
tell(gone=failure("apply", image, [source]))
image2 = opened()
trained(image2)
image2.scale(48, 32)
tell(scaled=failure("apply", image2))
image2.remove_layer(image2.get_layers()[-1])
tell(missing=failure("apply", image2, [image2.get_layers()[0]]))
image3 = opened()
one = image3.get_layers()[0]
one.set_name("A")
two = one.copy()
image3.insert_layer(two, None, 0)
two.set_name("B")
two.set_offsets(8, 4)
first, second = trained(image3, one), trained(image3, two)
edited(first)
edited(second, 50, 30, 20, 20)
def below(chosen):
    layer = call("apply", image3, [chosen])[0]
    return image3.get_layers()[image3.get_item_position(layer) + 1].get_name()
tell(two=[below(planes(first)["Segments"]), below(two), below(first)])
image3.set_selected_layers([planes(second)["Edges"]])
image3.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 36, 12, 12)
before = native(planes(first)["Segments"]), native(planes(second)["Segments"])
call("move", image3, [planes(second)["Edges"]], dx=9)
after = native(planes(first)["Segments"]), native(planes(second)["Segments"])
tell(still="B" if before[0] == after[0] and before[1] != after[1] else "A")
tell(none=failure("make", image3, []))
""")
    assert told["inside"] == "my group"
    assert told["first"] == "my group"
    assert told["second"]
    assert "No layer is selected" in told["none"]
    assert "Several layers" in told["several"]
    x, _, width, _ = told["beside"]
    assert x + width >= 60, "the copy that is selected counts"
    assert "no longer in this picture" in told["gone"]
    assert "Nothing is edited" in told["scaled"], "the underdrawing was scaled along, and followed"
    assert told["two"] == ["A", "B", "A"]
    assert told["still"] == "B"
    assert "no longer in this picture" in told["missing"]


def test_one_pixel_changes_only_what_its_mask_covers(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
source = image.get_layers()[-1]
group = trained(image)
sheet = planes(group)["Segments"]
here, there = colour_at(sheet, 60, 58), colour_at(sheet, 2, 2)
assert here != there
paint(sheet, 60, 58, 1, 1, there)
layer = call("apply-options", image, baked=True, grow=0, feather=0.0)[0]
baked = [one for one in image.get_layers() if one.get_name() == "Baked copy"][0]
mask = native(layer.get_mask())
_, x, y = layer.get_offsets()
covered = {(x + n % layer.get_width(), y + n // layer.get_width()) for n, value in enumerate(mask) if value}
one, two = native(source), native(baked)
changed = {(n % 96, n // 96) for n in range(96 * 64) if one[3 * n:3 * n + 3] != two[3 * n:3 * n + 3]}
tell(covered=sorted(covered), outside=sorted(changed - covered))
""")
    assert [60, 58] in told["covered"]
    assert len(told["covered"]) < 40
    assert told["outside"] == []


@pytest.mark.long
def test_a_picture_of_25_megapixels_with_a_small_part_of_it(gimp: Host) -> None:
    told = gimp.case("""
image = opened(6144, 4096)
source = image.get_layers()[0]
before = native(source, rect(3000, 2000, 200, 200))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 3000, 2000, 192, 128)
group = trained(image, source, regions=4)
edited(group, 40, 40, 50, 40)
Gimp.Selection.none(image)
layer = call("apply", image, [source])[0]
tell(place=layer.get_offsets()[1:], wide=layer.get_width(), same=native(source, rect(3000, 2000, 200, 200)) == before)
""")
    x, y = told["place"]
    assert 3000 <= x < 3192
    assert 2000 <= y < 2128
    assert told["wide"] <= 192
    assert told["same"]


@pytest.mark.long
def test_a_whole_picture_of_24_megapixels(gimp: Host) -> None:
    """Trained on a smaller copy, with its own fine detail brought back; what is outside of the edit is not touched."""
    told = gimp.case("""
import time
seconds, began = {}, time.monotonic()
def lap(name):
    global began
    seconds[name], began = round(time.monotonic() - began, 1), time.monotonic()
image = opened(6000, 4000)
source = image.get_layers()[0]
lap("open")
group = call("make", image, regions=5, known=False)[0]
lap("make")
call("train", image, method="draft", again=True)
lap("train")
edited(group, 1300, 1000, 1400, 1200)
began = time.monotonic()
layer = call("apply-options", image, baked=True)[0]
lap("apply")
baked = [one for one in image.get_layers() if one.get_name() == "Baked copy"][0]
x, y = layer.get_offsets()[1:]
right, low = x + layer.get_width(), y + layer.get_height()
around = [rect(0, 0, 6000, y), rect(0, low, 6000, 4000 - low), rect(0, y, x, low - y),
          rect(right, y, 6000 - right, low - y)]
same = all(native(source, part) == native(baked, part) for part in around if part.width and part.height)
inside = rect(1900, 1500, 200, 200)
tell(seconds=seconds, place=[x, y, right, low], same=same, painted=native(source, inside) != native(baked, inside),
     opaque=min(native(layer.get_mask(), rect(1900 - x, 1500 - y, 200, 200))))
""")
    print(told["seconds"])  # for docs/gimp.md
    x, y, right, low = told["place"]
    assert 0 <= x <= 1300
    assert 0 <= y <= 1000
    assert 2700 <= right <= 6000
    assert 2200 <= low <= 4000
    assert told["same"]
    assert told["painted"]
    assert told["opaque"] == 255
