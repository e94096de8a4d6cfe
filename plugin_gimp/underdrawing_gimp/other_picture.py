"""Another picture beside this one: an open one or a file, chosen by a person or a script, scaled to cover this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from . import pixels, record, widgets
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Babl, Gegl, Gimp, Gio, GLib, gtk
from .pixels import Rect

SRGB = "R'G'B' u8"


class Chooser:
    """A list of the open pictures and a button for a file, for a dialog."""

    def __init__(self, image: Gimp.Image, changed: Callable[[], None]) -> None:
        """
        Args:
            image: this picture, which is none of the others.
            changed: called after each choice, and not before.
        """
        Gtk = gtk()[0]
        self._others = {str(one.get_id()): one for one in Gimp.get_images() if one.get_id() != image.get_id()}
        entries = [(identity, record.title(one)) for identity, one in self._others.items()]
        entries.append(("", "A file"))
        self.opened = widgets.choice(entries, entries[0][0])
        self.file = Gtk.FileChooserButton(title="Choose the Other Picture", action=Gtk.FileChooserAction.OPEN)
        self.file.set_sensitive(not self._others)

        def chosen(*_: Any) -> None:
            self.file.set_sensitive(not self.opened.get_active_id())
            changed()

        self.opened.connect("changed", chosen)
        self.file.connect("file-set", chosen)

    @property
    def chosen(self) -> tuple[Gimp.Image | None, str | None]:
        """The open picture, or the path of the file; neither while no file is chosen."""
        identity = self.opened.get_active_id()
        return (self._others[identity], None) if identity else (None, self.file.get_filename())

    @property
    def complete(self) -> bool:
        """Whether there is a picture."""
        return any(self.chosen)


@contextmanager
def opened(other: Gimp.Image | None, path: str | None) -> Iterator[Gimp.Image]:
    """The other picture for a while; a file is opened without being shown, and closed again.

    Raises:
        EngineError: there is none, it was closed meanwhile, or the file cannot be read.
    """
    if path:
        loaded = load(path)
        try:
            yield loaded
        finally:
            loaded.delete()
        return
    if other is None:
        raise EngineError("bad_request", "No other picture was given.", "Give an open picture, or a file.")
    if not other.is_valid():
        raise EngineError("bad_request", "The other picture was closed meanwhile.", "Open it, then try again.")
    yield other


def load(path: str) -> Gimp.Image:
    """Open a file without showing it.

    Raises:
        EngineError: GIMP cannot read it.
    """
    try:
        found = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    except GLib.Error as error:
        raise EngineError("file", "The file %s cannot be read: %s" % (path, error.message), "Choose another.") from None
    if found is None:
        raise EngineError("file", "The file %s cannot be read." % path, "Choose another.")
    return found


def fitted(image: Gimp.Image, area: Rect, like: Gimp.Drawable | None = None) -> Frame:
    """A picture as it is seen, scaled to cover an area of this size, its middle cut out; 8 bits.

    Args:
        like: the values are those of this drawable's colour space; None for sRGB.
    """
    copy = image.duplicate()
    try:
        if copy.get_base_type() != Gimp.ImageBaseType.RGB:
            copy.convert_rgb()
        scale = max(area.width / copy.get_width(), area.height / copy.get_height())
        width, height = (
            max(area.width, round(copy.get_width() * scale)),
            max(area.height, round(copy.get_height() * scale)),
        )
        flat = copy.flatten()
        if (width, height) != (copy.get_width(), copy.get_height()):
            copy.scale(width, height)
        flat = copy.get_layers()[0]
        middle = Rect((width - area.width) // 2, (height - area.height) // 2, area.width, area.height)
        # Babl converts between the profiles: what counts is what is seen.
        space = Babl.format_get_space(like.get_format()) if like is not None else None
        name = pixels.babl_name("RGB", "u8", False, space) if like is not None else SRGB
        data = flat.get_buffer().get(middle.gegl(), 1.0, name, Gegl.AbyssPolicy.CLAMP)
        return Frame(area.width, area.height, "RGB", "u8", data)
    finally:
        copy.delete()
