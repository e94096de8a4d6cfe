"""Runs inside of GIMP, before the body of a case: short names, calls of procedures, pixels, the case's answer."""

import json
import os
import time  # noqa: F401 - for the cases

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp, Gio  # noqa: E402

QUIET = Gimp.RunMode.NONINTERACTIVE
GIVEN = json.loads(os.environ["CASE_GIVEN"])
ANSWER = {}


class FailedError(Exception):
    """A procedure failed; the text is what a person would read."""


def call(name, image=None, drawables=None, **arguments):
    """Call a procedure; its return values, without the status."""
    procedure = Gimp.get_pdb().lookup_procedure("underdrawing-" + name)
    assert procedure is not None, name
    config = procedure.create_config()
    config.set_property("run-mode", QUIET)
    if image is not None:
        config.set_property("image", image)
        config.set_core_object_array("drawables", list(image.get_layers()[-1:] if drawables is None else drawables))
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise FailedError(Gimp.get_pdb().get_last_error())
    found = [values.index(number) for number in range(1, values.length())]
    return found[0] if len(found) == 1 else found


def failure(name, *args, **arguments):
    """The text with which a procedure fails."""
    try:
        call(name, *args, **arguments)
    except FailedError as error:
        return str(error)
    return "it did not fail"


def rect(x, y, width, height):
    """For buffers."""
    return Gegl.Rectangle.new(x, y, width, height)


def native(drawable, area=None):
    """The very bytes of a drawable."""
    area = area or rect(0, 0, drawable.get_width(), drawable.get_height())
    name = Babl.get_name(drawable.get_format())
    return bytes(drawable.get_buffer().get(area, 1.0, name, Gegl.AbyssPolicy.NONE))


def paint(drawable, x, y, width, height, colour):
    """Fill a rectangle with values of the drawable's own colour space, as a pencil of that colour does."""
    space = Babl.format_get_space(drawable.get_format())
    grey = drawable.is_gray()
    name = Babl.get_name(Babl.format_with_space("Y' u8" if grey else "R'G'B' u8", space))
    buffer = drawable.get_buffer()
    buffer.set(rect(x, y, width, height), name, bytes(colour[:1] if grey else colour) * (width * height))
    buffer.flush()
    drawable.update(x, y, width, height)


def colour_at(drawable, x, y):
    """A pixel's values in the drawable's own colour space, 8 bits."""
    space = Babl.format_get_space(drawable.get_format())
    name = Babl.get_name(Babl.format_with_space("R'G'B' u8", space))
    return list(drawable.get_buffer().get(rect(x, y, 1, 1), 1.0, name, Gegl.AbyssPolicy.NONE))


def opened(width=0, height=0):
    """The test picture, freshly loaded."""
    image = Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["picture"]))
    if width:
        image.scale(width, height)
    return image


def planes(group):
    """The layers of an underdrawing by name, without the number that GIMP gives to a name's second layer."""
    return {layer.get_name().split(" #")[0]: layer for layer in group.get_children()}


def trained(image, layer=None, **arguments):
    """Make an underdrawing and a draft of it: the group."""
    drawables = [layer] if layer is not None else None
    group = call("make", image, drawables, **{"regions": 5, "known": False, **arguments})[0]
    call("train", image, drawables, method="draft", again=True)
    return group


def edited(group, x=20, y=16, width=24, height=20):
    """Paint a block of another area's colour on the segments; not with a mixture at a border that was scaled."""
    sheet = planes(group)["Segments"]
    here = colour_at(sheet, x + width // 2, y + height // 2)
    places = [(x, y) for y in range(2, sheet.get_height(), 5) for x in range(2, sheet.get_width(), 5)]
    colours = [colour_at(sheet, *place) for place in places]
    others = [colour for colour in colours if colour != here and colours.count(colour) > 2]
    assert others, "the segments have one colour only"
    paint(sheet, x, y, width, height, others[0])


def tell(**values):
    """Part of the case's answer."""
    ANSWER.update(values)
