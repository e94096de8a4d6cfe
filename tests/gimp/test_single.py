"""Pictures without an underdrawing, as procedures: harmonize, blend, repaint, vary, resize, animate, enlarge."""

from __future__ import annotations

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


def test_a_pasted_layer_is_harmonized_and_another_without_learning_again(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
source = image.get_layers()[0]
layer = pasted(image)
before, alone = seen(image), native(layer)
start = time.time()
made, model, notes = call("harmonize", image, [layer], **few)
tell(took=time.time() - start, notes=notes)
tell(layers=[[one.get_name(), one.get_visible()] for one in image.get_layers()], same=native(layer) == alone,
     outside=outside(image, made, before), inside=seen(image) != before, mask=[min(native(made.get_mask())), max(native(made.get_mask()))],
     at=made.get_offsets()[1:], size=[made.get_width(), made.get_height()])
second = pasted(image, 10, 30, name="second")
start = time.time()
again = call("harmonize", image, [second], **few)
tell(took2=time.time() - start, models=len({model, again[1]}), count=len(image.get_layers()))
""",
    )
    print(told)


def test_depths_grey_transparency_groups_and_selections(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
call("harmonize", image, [pasted(image)], **few)
def once(name, image, layer):
    before = seen(image)
    made, model, notes = call("harmonize", image, [layer], **few)
    found = [outside(image, made, before), seen(image) != before, notes.count("changed since"), made.get_parent() is not None,
             layer.get_visible(), made.has_alpha()]
    tell(**{name: found})
    return made
def fresh(prepare):
    one = image.duplicate()
    for layer in one.get_layers()[:-1]:
        one.remove_layer(layer)
    prepare(one)
    return one
for name in ("U16_NON_LINEAR", "FLOAT_LINEAR", "HALF_NON_LINEAR"):
    one = fresh(lambda one: one.convert_precision(getattr(Gimp.Precision, name)))
    once(name, one, pasted(one))
one = fresh(lambda one: one.convert_grayscale())
once("grey", one, pasted(one))
def hole(one):
    layer = one.get_layers()[0]
    layer.add_alpha()
    one.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 0, 10, 30)
    layer.edit_clear()
    Gimp.Selection.none(one)
one = fresh(hole)
once("alpha", one, pasted(one))
def grouped(one):
    group = Gimp.GroupLayer.new(one, "group")
    one.insert_layer(group, None, 0)
    layer = pasted(one)
    one.reorder_item(layer, group, 0)
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    mask.get_buffer().set(rect(0, 0, 12, 24), "Y u8", bytes(12 * 24))
    above = pasted(one, 0, 0, 96, "above")
    return layer
one = fresh(lambda one: None)
layer = grouped(one)
made = once("group", one, layer)
tell(left=made.get_offsets()[1], order=[x.get_name() for x in layer.get_parent().get_children()])
one = fresh(lambda one: None)
layer = pasted(one)
layer.set_visible(False)
one.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 10, 12, 24)
layer.set_visible(True)
made = once("selection", one, layer)
again = call("harmonize", one, [made], **few)[0]
tell(replaced=[x.get_name() for x in one.get_layers()], free=not Gimp.Selection.is_empty(one))
one.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
tell(indexed=failure("harmonize", one, [layer]), images=len(Gimp.get_images()), names=[x.get_name() for x in Gimp.get_images()])
"""
    )
    print({k: v for k, v in told.items() if k != "output"})


def test_pictures_out_of_one(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
start = time.time()
group, count, model, notes = call("vary", image, count=2, freedom=40.0, **few)
tell(took=time.time() - start, vary=[count, group.get_name(), [[x.get_name(), x.get_visible(), x.get_width(), x.get_height()] for x in group.get_children()]], notes=notes)
start = time.time()
other, model2, notes2 = call("resize", image, width=130, height=50)
tell(same=model == model2, size=[other.get_width(), other.get_height()], notes2=notes2)
tell(tresize=time.time() - start)
clip, frames, model3, notes3 = call("animate-picture", image, frames=3)
tell(clip=[x.get_name() for x in clip.get_layers()], same3=model == model3, notes3=notes3)
path = Gio.File.new_for_path(GIVEN["folder"] + "/clip.gif")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 92, 62)
start = time.time()
large, model4, notes4 = call("enlarge", image, times=2.0, **few)
tell(tlarge=time.time() - start, large=[large.get_width(), large.get_height()], models=len({model, model4}), notes4=notes4)
"""
    )
    print({k: v for k, v in told.items() if k != "output"})


def test_rough_edits_and_paintings(gimp: Host) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
source = image.get_layers()[0]
tell(nothing=failure("blend", image, [source]), nopaste=failure("harmonize", image, [source]))
copy = source.copy()
image.insert_layer(copy, None, 0)
data = copy.get_buffer().get(rect(20, 20, 20, 20), 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
copy.get_buffer().set(rect(60, 30, 20, 20), "R'G'B' u8", data)
copy.get_buffer().flush()
copy.update(0, 0, 96, 64)
before = seen(image)
tell(covers=failure("harmonize", image, [copy]))
start = time.time()
made, model, notes = call("blend", image, [copy], **few)
tell(took=time.time() - start, blend=[made.get_offsets()[1:], made.get_width(), made.get_height(), copy.get_visible(), outside(image, made, before)], notes=notes)
image.remove_layer(made)
image.remove_layer(source)
inplace = call("blend", image, [copy], **few)
tell(inplace=[inplace[1] == model, inplace[0].get_width()])
image.insert_layer(source.copy() if False else pasted(image, 0, 0, 96, "painting").copy(), None, 0) if False else None
painting = pasted(image, 4, 4, 40, "painting")
before = seen(image)
made, model2, notes2 = call("repaint", image, [painting], **few)
tell(repaint=[made.get_name(), painting.get_visible(), outside(image, made, before), model2 == model], notes2=notes2)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 40, 10, 10)
tell(elsewhere=failure("repaint", image, [painting]))
Gimp.Selection.none(image)
empty = pasted(image, 200, 200, 20)
tell(empty=failure("repaint", image, [empty]), none=failure("repaint", image, []), several=failure("harmonize", image, [empty, painting]))
again = call("make", image, [copy], regions=5)
tell(make=again[2])
"""
    )
    print({k: v for k, v in told.items() if k != "output"})
