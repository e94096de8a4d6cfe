"""Pictures without an underdrawing, as procedures: harmonize, blend, repaint, vary, resize, animate, enlarge."""

from __future__ import annotations

import pytest

from .conftest import Host

# A disc pasted onto the picture, on a layer of its own with an offset; `few`: a tiny training.
PASTED = """
few = {"iterations": 3}
def pasted(image, x=50, y=10, size=24, name="pasted"):
    layer = Gimp.Layer.new(image, name, size, size, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
    layer.fill(Gimp.FillType.TRANSPARENT)
    image.insert_layer(layer, None, 0)
    layer.set_offsets(x, y)
    paint(layer, 4, 4, size - 8, size - 8, (250, 20, 200))
    return layer
def seen(image):
    copy = image.duplicate()
    flat = copy.flatten()
    data = native(flat)
    copy.delete()
    return data
def outside(image, layer, before):
    after, mask, count = seen(image), bytes(layer.get_mask().get_buffer().get(
        rect(0, 0, layer.get_width(), layer.get_height()), 1.0, "Y float", Gegl.AbyssPolicy.NONE)), 0
    mask = [mask[at:at + 4] != bytes(4) for at in range(0, len(mask), 4)]
    wide = len(after) // (image.get_width() * image.get_height())
    x, y = layer.get_offsets()[1:]
    for row in range(image.get_height()):
        for column in range(image.get_width()):
            inside = 0 <= row - y < layer.get_height() and 0 <= column - x < layer.get_width()
            if not (inside and mask[(row - y) * layer.get_width() + column - x]):
                at = (row * image.get_width() + column) * wide
                count += after[at:at + wide] != before[at:at + wide]
    return count
"""


def test_pasted_layers_are_harmonized(gimp: Host) -> None:
    """One picture is trained on once, whatever is pasted onto it, and in whatever form it comes then."""
    told = gimp.case(
        PASTED
        + """
image = opened()
layer = pasted(image)
before, alone = seen(image), native(layer)
made, model, notes = call("harmonize", image, [layer], **few)
tell(layers=[[one.get_name(), one.get_visible()] for one in image.get_layers()], same=native(layer) == alone,
     outside=outside(image, made, before), inside=seen(image) != before, notes=notes, selected=[
     one.get_name() for one in image.get_selected_layers()])
second = pasted(image, 10, 30, name="second")
tell(again=call("harmonize", image, [second], **few)[1] == model, both=[one.get_name() for one in image.get_layers()])
fine = call("harmonize", image, [second], fine_tune=True, **few)[1]
tell(fine=fine != model, repeated=call("harmonize", image, [second], fine_tune=True, **few)[1] == fine,
     replaced=[one.get_name() for one in image.get_layers()])
kept = image.duplicate()
for other in kept.get_layers()[:-1]:
    kept.remove_layer(other)
found = {}
def once(name, change):
    one = kept.duplicate()
    layer = change(one) or pasted(one)
    before = seen(one)
    made, used, notes = call("harmonize", one, [layer], **few)
    assert used == model, name
    found[name] = [outside(one, made, before), seen(one) != before, "changed since" in notes]
    return one, layer, made
once("16 bit", lambda one: one.convert_precision(Gimp.Precision.U16_NON_LINEAR) and None)
once("float", lambda one: one.convert_precision(Gimp.Precision.FLOAT_LINEAR) and None)
once("grey", lambda one: one.convert_grayscale() and None)
def hole(one):
    one.get_layers()[0].add_alpha()
    one.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 0, 10, 30)
    one.get_layers()[0].edit_clear()
    Gimp.Selection.none(one)
tell(alpha=once("transparent", hole)[2].has_alpha())
def grouped(one):
    group = Gimp.GroupLayer.new(one, "group")
    one.insert_layer(group, None, 0)
    layer = pasted(one)
    one.reorder_item(layer, group, 0)
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    mask.get_buffer().set(rect(0, 0, 12, 24), "Y u8", bytes(12 * 24))
    pasted(one, 0, 0, 30, "above")
    hidden = pasted(one, 0, 0, 96, "hidden")
    one.lower_item_to_bottom(hidden)
    one.raise_item(hidden)
    hidden.set_visible(False)
    return layer
_, layer, made = once("grouped", grouped)
tell(left=made.get_offsets()[1], group=[one.get_name() for one in layer.get_parent().get_children()])
def selected(one):
    layer = pasted(one)
    one.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 10, 12, 24)
    return layer
one, layer, made = once("selected", selected)
tell(still=layer.get_visible(), found=found)
call("harmonize", one, [made], **few)
tell(for_its_layer=[layer.get_name() for layer in one.get_layers()])
one.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
tell(indexed=failure("harmonize", one, [layer]))
"""
    )
    assert told["layers"] == [["Harmonized", True], ["pasted", False], ["Background", True]]
    assert told["same"]
    assert told["outside"] == 0
    assert told["inside"]
    assert told["selected"] == ["pasted"]
    assert told["again"], "one training serves many pastes"
    assert told["both"][1:] == ["second", "Harmonized", "pasted", "Background"]
    assert told["fine"]
    assert told["repeated"]
    assert len(told["replaced"]) == len(told["both"])
    same_pixels = ("transparent", "grouped", "selected")
    assert told["found"] == {
        name: [0, True, name not in same_pixels]
        for name in ("16 bit", "float", "grey", "transparent", "grouped", "selected")
    }
    assert told["alpha"], "a result for a picture with holes must not be opaque"
    assert told["left"] > 50, "the layer's mask counts"
    assert told["group"] == ["Harmonized", "pasted"]
    assert told["still"], "what is not selected of a pasted layer must not vanish"
    assert len(told["for_its_layer"]) == 3, "a result stands for the layer that it was made for"
    assert "indexed" in told["indexed"]


@pytest.mark.long
def test_for_larger_results_another_model_is_trained(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
layer = pasted(image)
model = call("harmonize", image, [layer], **few)[1]
large, other, _ = call("harmonize", image, [layer], large=True, **few)
tell(large=other != model, larger=large.get_name())
"""
    )
    assert told["large"], "it is trained at up to 700 pixels, with a fourth stage"
    assert told["larger"].startswith("Harmonized")


@pytest.mark.long
def test_the_device_that_trains_is_chosen(gimp: Host) -> None:
    """A graphics card that is not there is refused by the engine; the sentence is the procedure's."""
    told = gimp.case(
        PASTED
        + """
image = opened()
paint(image.get_layers()[0], 0, 0, 30, 8, (20, 90, 20))  # a picture that no model was trained on
layer = pasted(image)
tell(trained=failure("harmonize", image, [layer], device="cuda", **few),
     layers=[one.get_name() for one in image.get_layers()])
model = call("harmonize", image, [layer], device="cpu", again=True, **few)[1]
tell(model=model, tuned=failure("harmonize", image, [layer], fine_tune=True, device="cuda", **few))
"""
    )
    card = gimp.has_card()
    with gimp.engine() as engine:
        device = engine.model(told["model"])["manifest"]["figures"]["device"]
    assert device.startswith("CPU")
    for name in ("trained", "tuned"):
        assert ("did not fail" if card else "The graphics card cannot be used: ") in told[name]
        assert card or told[name].endswith("Choose the processor (on the command line: --device cpu).")
    assert [name for name in told["layers"] if not card or name != "Harmonized"] == ["pasted", "Background"]


@pytest.mark.long
def test_pictures_out_of_one(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
group, count, model, notes = call("vary", image, count=2, freedom=40.0, **few)
tell(vary=[count, group.get_name(), [[x.get_name(), x.get_visible(), x.get_width(), x.get_height()]
           for x in group.get_children()]], layers=[x.get_name() for x in image.get_layers()])
image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
other, same, notes = call("resize", image, width=130, height=50)
tell(resize=[same == model, other.get_width(), other.get_height(), other.get_precision() == image.get_precision()],
     notes=notes)
clip, frames, same, _ = call("animate-picture", image, frames=3)
path = Gio.File.new_for_path(GIVEN["folder"] + "/clip.gif")
export = Gimp.get_pdb().lookup_procedure("file-gif-export")
config = export.create_config()
clip.convert_precision(Gimp.Precision.U8_NON_LINEAR)
clip.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, "")
for key, value in (("run-mode", QUIET), ("image", clip), ("file", path), ("as-animation", True)):
    config.set_property(key, value)
export.run(config)
tell(clip=[x.get_name() for x in clip.get_layers()], reused=same == model,
     gif=[x.get_name() for x in Gimp.file_load(QUIET, path).get_layers()])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 92, 62)
large, own, _ = call("enlarge", image, times=2.0, **few)
tell(large=[large.get_width(), large.get_height(), own != model])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 12, 12)
tell(small=failure("vary", image))
Gimp.Selection.none(image)
tell(tiny=failure("vary", opened(20, 20)))
for layer in image.get_layers():
    layer.set_visible(False)
tell(hidden=failure("vary", image))
"""
    )
    sheets = [["Variation 1", True, 96, 64], ["Variation 2", False, 96, 64]]
    assert told["vary"] == [2, "Variations", sheets]
    assert told["layers"] == ["Variations", "Background"]
    assert told["resize"] == [True, 130, 50, True]
    assert "changed since" in told["notes"]
    assert told["clip"] == [f"Frame {number} (80ms) (replace)" for number in (3, 2, 1)]
    assert told["reused"]
    assert len(told["gif"]) == 3
    assert all("(80ms)" in name for name in told["gif"])
    assert told["large"] == [184, 124, True]
    assert "Select at least 24 x 24 pixels, or nothing." in told["small"]
    assert "Choose a larger one" in told["tiny"], "nothing is selected"
    assert "No layer of the picture is visible" in told["hidden"]


@pytest.mark.long
def test_rough_edits_and_paintings(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
source = image.get_layers()[0]
paint(source, 0, 60, 96, 4, (20, 20, 20))  # a picture that no model was trained on
tell(original=failure("blend", image, [source]), paste=failure("harmonize", image, [source]))
copy = source.copy()
image.insert_layer(copy, None, 0)
data = copy.get_buffer().get(rect(20, 20, 20, 20), 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
copy.get_buffer().set(rect(60, 30, 20, 20), "R'G'B' u8", data)
copy.get_buffer().flush()
copy.update(0, 0, 96, 64)
before = seen(image)
tell(covers=failure("harmonize", image, [copy]))
made, model, notes = call("blend", image, [copy], **few)
x, y = made.get_offsets()[1:]
around = x <= 62 and y <= 32 and x + made.get_width() >= 78 and y + made.get_height() >= 48
tell(blend=[around, copy.get_visible(), outside(image, made, before)])
image.remove_layer(made)
kept = source.copy()
kept.set_visible(False)
image.insert_layer(kept, None, 0)
image.remove_layer(source)
made, used, _ = call("blend", image, [copy], original=kept, **few)
tell(given=[used == model, made.get_name()])
image.remove_layer(made)
image.remove_layer(kept)
made, used, _ = call("blend", image, [copy], **few)
tell(in_place=[used == model, made.get_width()])
image.remove_layer(made)
painting = pasted(image, 4, 4, 40, "painting")
before = seen(image)
made, used, _ = call("repaint", image, [painting], **few)
tell(repaint=[made.get_name(), painting.get_visible(), outside(image, made, before), used == model])
ways = []
for freedom in (0.0, 100.0, 0.0):
    image.remove_layer(made)
    painting.set_visible(True)
    made = call("repaint", image, [painting], freedom=freedom, **few)[0]
    ways.append(hash(bytes(seen(image))))
tell(freely=[ways[0] == ways[2], ways[0] == ways[1]])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 40, 10, 10)
tell(elsewhere=failure("repaint", image, [painting]))
Gimp.Selection.none(image)
away = pasted(image, 200, 200, 20)
tell(away=failure("repaint", image, [away]), none=failure("repaint", image, []),
     several=failure("harmonize", image, [away, painting]))
image.remove_layer(away)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 20, 10, 10)
Gimp.edit_copy([copy])
Gimp.edit_paste(copy, True)
tell(floating=failure("harmonize", image, [image.get_floating_sel()]))
fresh = opened()
tell(make=call("make", fresh, regions=5)[0].get_name())
"""
    )
    assert "The original picture is not known" in told["original"]
    assert "No picture is visible below" in told["paste"]
    assert "covers the whole picture" in told["covers"]
    assert told["blend"] == [True, True, 0]
    assert told["given"] == [True, "Blended"]
    assert told["in_place"][0], "an edit in place is compared with the picture of the training"
    assert told["in_place"][1] < 96
    assert told["repaint"] == ["Repainted", False, 0, True]
    assert told["freely"] == [True, False]
    assert "is selected" in told["elsewhere"]
    assert "outside of the picture" in told["away"]
    assert "No layer is selected" in told["none"]
    assert "Several layers" in told["several"]
    assert told["make"] == "Underdrawing", "models without an underdrawing are none for Make Underdrawing"
    assert "still floats" in told["floating"]
