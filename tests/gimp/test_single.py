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
    after, mask, count = seen(image), native(layer.get_mask()), 0
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
