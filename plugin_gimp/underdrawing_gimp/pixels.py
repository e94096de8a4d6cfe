"""Pixels of drawables as frames of the protocol and back, bit for bit wherever the two can hold the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from .client.frames import Frame
from .client.messages import EngineError
from .gi import Babl, Gegl, Gimp

# Of GIMP's types: what travels. What has no type on the wire of its own goes as 32-bit float.
DEPTHS = {"u8": "u8", "u16": "u16", "half": "f16", "float": "f32"}
TYPES = {"u8": "u8", "u16": "u16", "f16": "half", "f32": "float"}
MODELS = {"L": "Y", "LA": "Y", "RGB": "RGB", "RGBA": "RGB"}
SPACE = "-space-"


@dataclass(frozen=True)
class Rect:
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.width <= 0 or self.height <= 0

    def moved(self, dx: int, dy: int) -> Rect:
        """The same size elsewhere."""
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def intersect(self, other: Rect) -> Rect:
        """What is in both; `empty` where nothing is."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(x, y, max(0, right - x), max(0, bottom - y))

    def gegl(self) -> Gegl.Rectangle:
        """For buffers."""
        return Gegl.Rectangle.new(self.x, self.y, self.width, self.height)


@dataclass(frozen=True)
class Form:
    """How a drawable's pixels travel.

    Attributes:
        grey, alpha: its channels.
        depth: of the wire: "u8", "u16", "f16" or "f32".
        linear: in linear light; floats alone.
        space: the drawable's colour space, as Babl knows it.
    """

    grey: bool
    alpha: bool
    depth: str
    linear: bool
    space: object

    @property
    def order(self) -> str:
        """The protocol's word for the channels."""
        return ("L" if self.grey else "RGB") + ("A" if self.alpha else "")

    def babl(self) -> str:
        """Babl's name of it."""
        return babl_name(self.order, self.depth, self.linear, self.space)


def babl_name(order: str, depth: str, linear: bool, space: object) -> str:
    """The name of a pixel format in a colour space. An unknown one would end the plug-in: these all exist."""
    model = MODELS[order]
    if not linear:
        model = "Y'" if model == "Y" else "R'G'B'"
    name = model + ("A" if order.endswith("A") else "") + " " + TYPES[depth]
    return str(Babl.get_name(Babl.format_with_space(name, space)))


def form_of(drawable: Gimp.Drawable, colour: bool = False) -> Form:
    """How this drawable's pixels travel.

    Args:
        colour: as they will when the picture has become one in RGB.

    Raises:
        EngineError: it has a palette of its own (indexed).
    """
    if drawable.is_indexed() and colour:
        return Form(False, drawable.has_alpha(), "u8", False, Babl.format_get_space(drawable.get_format()))
    if drawable.is_indexed():
        raise EngineError(
            "bad_picture",
            "This picture is indexed: it has a fixed palette, and new colours have no place in it.",
            "Choose Image > Mode > RGB first.",
        )
    native = drawable.get_format()
    name = str(Babl.get_name(native)).split(SPACE)[0]
    model, _, kind = name.partition(" ")
    alpha = model.endswith("A")
    core = model[:-1] if alpha else model
    linear = core in ("RGB", "Y")
    depth = DEPTHS.get(kind, "f32")
    other_curve = "~" in core and SPACE in str(Babl.get_name(native))
    if depth in ("u8", "u16") and (linear or other_curve):
        depth = "f32"  # these steps are not those of the encoded values that travel
    grey = core.startswith("Y") and not colour
    return Form(grey, alpha, depth, linear, Babl.format_get_space(native))


def mixing_space(drawable: Gimp.Drawable) -> Gimp.LayerColorSpace:
    """The encoding in which the compositor should mix a layer of this drawable's kind with what is below.

    That of the picture's own values mixes as the engine does. GIMP's conversions to it round, though, for 32-bit values
    and for profiles other than sRGB: linear light then leaves what is under a black mask as it was.
    """
    name = str(Babl.get_name(drawable.get_format()))
    model, _, kind = name.split(SPACE, maxsplit=1)[0].partition(" ")
    if "~" in model and kind not in ("u32", "float", "double"):
        return Gimp.LayerColorSpace.RGB_PERCEPTUAL
    if "'" in model and (SPACE not in name or kind in ("u8", "half")):
        return Gimp.LayerColorSpace.RGB_NON_LINEAR
    return Gimp.LayerColorSpace.RGB_LINEAR


def read(drawable: Gimp.Drawable, area: Rect, alpha: bool | None = None, colour: bool = False) -> Frame:
    """Pixels of a drawable at its own depth, encoding and colour space, with its profile.

    Args:
        area: in the drawable's own coordinates; what lies outside is transparent, or black.
        alpha: with alpha or without; None for what the drawable has.
        colour: as `form_of` has it; a profile for grey is left out then.
    """
    form = form_of(drawable, colour)
    if alpha is not None:
        form = Form(form.grey, alpha, form.depth, form.linear, form.space)
    data = drawable.get_buffer().get(area.gegl(), 1.0, form.babl(), Gegl.AbyssPolicy.NONE)
    profile = drawable.get_image().get_color_profile()
    if profile is not None and profile.is_gray() and not form.grey:
        profile = None
    icc = bytes(profile.get_icc_profile()) if profile is not None else None
    return Frame(area.width, area.height, form.order, form.depth, data, 0, form.linear, icc)


def with_alpha_of(frame: Frame, like: Frame) -> Frame:
    """The colours of one frame with the transparency of another of the same size, depth and kind.

    Results of the engine are opaque; where the picture is not, a result must not be either.
    """
    if frame.order not in ("L", "RGB") or like.order != frame.order + "A" or like.depth != frame.depth:
        return frame
    mixed, colours = bytearray(like.data), bytes(frame.data)
    count = frame.width * frame.height
    wide, narrow = len(mixed) // count, len(colours) // count
    for place in range(narrow):
        mixed[place::wide] = colours[place::narrow]
    return replace(frame, order=like.order, data=bytes(mixed), stride=0)


def cropped(frame: Frame, area: Rect) -> Frame:
    """A part of a frame whose rows have no gaps; the area lies inside of it."""
    data, wide = memoryview(frame.data), len(frame.data) // (frame.width * frame.height)
    first = (area.y * frame.width + area.x) * wide
    starts = range(first, first + area.height * frame.width * wide, frame.width * wide)
    rows = b"".join(data[start : start + area.width * wide] for start in starts)
    return replace(frame, width=area.width, height=area.height, data=rows, stride=0)


def write(drawable: Gimp.Drawable, frame: Frame, x: int = 0, y: int = 0) -> None:
    """Put a frame's values into a drawable at x, y (its own coordinates), in its own colour space. Not undoable."""
    space = Babl.format_get_space(drawable.get_format())
    area = Rect(x, y, frame.width, frame.height)
    buffer = drawable.get_buffer()
    name = babl_name(frame.order, frame.depth, frame.linear, space)
    buffer.set(area.gegl(), name, bytes(frame.data))
    buffer.flush()
    drawable.update(x, y, frame.width, frame.height)


def overwrite(layer: Gimp.Layer, frame: Frame, x: int, y: int) -> None:
    """The same as a step of the undo history. The selection limits it."""
    whole = Rect(0, 0, layer.get_width(), layer.get_height()).gegl()
    native = str(Babl.get_name(layer.get_format()))
    shadow = layer.get_shadow_buffer()
    shadow.set(whole, native, bytes(layer.get_buffer().get(whole, 1.0, native, Gegl.AbyssPolicy.NONE)))
    name = babl_name(frame.order, frame.depth, frame.linear, Babl.format_get_space(layer.get_format()))
    shadow.set(Rect(x, y, frame.width, frame.height).gegl(), name, bytes(frame.data))
    shadow.flush()
    layer.merge_shadow(True)
    layer.update(0, 0, layer.get_width(), layer.get_height())


def read_plane(layer: Gimp.Layer, area: Rect) -> Frame:
    """8-bit values of an underdrawing's layer as they were drawn; transparent where there is nothing.

    Args:
        area: in the layer's own coordinates.
    """
    grey = layer.is_gray()
    order = "LA" if grey else "RGBA"
    form_of(layer)  # refuses indexed layers
    name = babl_name(order, "u8", False, Babl.format_get_space(layer.get_format()))
    data = layer.get_buffer().get(area.gegl(), 1.0, name, Gegl.AbyssPolicy.NONE)
    return Frame(area.width, area.height, order, "u8", data)


def small_frame(drawable: Gimp.Drawable, area: Rect, longest: int) -> Frame:
    """An area at 8 bits, reduced so that its longer side has at most `longest` pixels: for previews, of any mode.

    Args:
        area: within the drawable, in its own coordinates.
        longest: at most 1024.
    """
    if max(area.width, area.height) > longest:
        return _reduced(drawable, area, longest)
    order = "L" if drawable.is_gray() else "RGB"
    name = babl_name(order, "u8", False, Babl.format_get_space(drawable.get_format()))
    data = drawable.get_buffer().get(area.gegl(), 1.0, name, Gegl.AbyssPolicy.CLAMP)
    return Frame(area.width, area.height, order, "u8", data)


def small_mask(mask: Gimp.LayerMask, area: Rect, longest: int) -> Frame:
    """A layer mask reduced as `small_frame` reduces its layer."""
    if max(area.width, area.height) > longest:
        return _reduced(mask, area, longest)
    data = mask.get_buffer().get(area.gegl(), 1.0, "Y u8", Gegl.AbyssPolicy.CLAMP)
    return Frame(area.width, area.height, "L", "u8", data)


def _reduced(drawable: Gimp.Drawable, area: Rect, longest: int) -> Frame:
    """A thumbnail of GIMP's own. Buffers of a plug-in that are read at a scale are black: GIMP has no reduced tiles."""
    scale = longest / max(area.width, area.height)
    size = max(1, int(area.width * scale)), max(1, int(area.height * scale))
    bytes_of, width, height, wide = drawable.get_sub_thumbnail_data(area.x, area.y, area.width, area.height, *size)
    data = bytes(bytes_of.get_data())
    if wide in (1, 3):
        return Frame(width, height, "L" if wide == 1 else "RGB", "u8", data)
    colours = bytearray(width * height * (wide - 1))
    for place in range(wide - 1):
        colours[place :: wide - 1] = data[place::wide]
    return Frame(width, height, "L" if wide == 2 else "RGB", "u8", bytes(colours))


def selection_frame(image: Gimp.Image, area: Rect) -> Frame | None:
    """The selection in an area of the image as a mask, 255 where it is full; None where nothing is selected at all.

    Raises:
        EngineError: the selection lies outside of the area.
    """
    if Gimp.Selection.is_empty(image):
        return None
    found = Gimp.Selection.bounds(image)
    inside = Rect(found.x1, found.y1, found.x2 - found.x1, found.y2 - found.y1).intersect(area)
    if inside.empty:
        raise EngineError(
            "bad_request",
            "The selection lies outside of the underdrawing.",
            "Select a part of the underdrawing, or nothing (Select > None).",
        )
    data = image.get_selection().get_buffer().get(area.gegl(), 1.0, "Y u8", Gegl.AbyssPolicy.NONE)
    return Frame(area.width, area.height, "L", "u8", data)


def write_mask(mask: Gimp.LayerMask, frame: Frame, x: int, y: int) -> None:
    """Put a mask of the protocol (`L`, u8 or u16) into a layer mask."""
    buffer = mask.get_buffer()
    # Masks are linear: 128 of 255 is half, whatever the picture's curve.
    buffer.set(Rect(x, y, frame.width, frame.height).gegl(), "Y " + TYPES[frame.depth], bytes(frame.data))
    buffer.flush()
    mask.update(x, y, frame.width, frame.height)


def pixel_hash(drawable: Gimp.Drawable, area: Rect, colour: bool = False) -> str:
    """The hash that a model keeps of the pixels it was trained on (`picture_hash`): colours, no alpha, no profile."""
    return frame_hash(read(drawable, area, alpha=False, colour=colour))


def frame_hash(frame: Frame) -> str:
    """The same of a frame without alpha and without gaps between its rows."""
    channels = 1 if frame.order == "L" else 3
    text = "(%d, %d, %d) %s %s\n" % (frame.height, frame.width, channels, frame.depth, frame.linear)
    digest = hashlib.sha256(text.encode())
    digest.update(frame.data)
    return digest.hexdigest()
