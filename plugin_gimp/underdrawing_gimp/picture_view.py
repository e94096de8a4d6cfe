"""A picture in a window that fills its place and grows with the window."""

from __future__ import annotations

from typing import Any

import gi

from . import widgets
from .gi import GLib, gtk


class PictureView:
    """A place for a picture, with a line above.

    Attributes:
        box: the widget; make it expand.
    """

    def __init__(self, caption: str, width: int, height: int) -> None:
        """
        Args:
            width, height: of the smallest place, pixels of the screen.
        """
        Gtk = gtk()[0]
        self._picture: Any = None
        self._shown: Any = None
        self._image = Gtk.Image()
        self._place = Gtk.Layout()  # asks for no more room when its picture grows
        self._place.set_size_request(width, height)
        self._place.put(self._image, 0, 0)
        self._place.connect("size-allocate", lambda *_: GLib.idle_add(self._fit))
        frame = Gtk.Frame()
        frame.set_shadow_type(Gtk.ShadowType.IN)
        frame.add(self._place)
        self.caption = widgets.label(caption)
        self.box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.box.pack_start(self.caption, False, False, 0)
        self.box.pack_start(frame, True, True, 0)

    def set_from_pixbuf(self, picture: Any) -> None:
        """Show a picture, as large as there is room."""
        self._picture, self._shown = picture, None
        self._fit()

    def _fit(self) -> bool:
        if self._picture is None:
            return False
        room, ratio = self._place.get_allocation(), self._place.get_scale_factor()
        width, height = self._picture.get_width(), self._picture.get_height()
        scale = min(room.width / width, room.height / height) * ratio
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if self._shown != size and room.width > 1:
            self._shown = size
            GdkPixbuf = gtk()[2]
            how = GdkPixbuf.InterpType.BILINEAR
            _set(self._image, self._picture.scale_simple(*size, how), ratio)
            self._place.move(self._image, (room.width - size[0] // ratio) // 2, (room.height - size[1] // ratio) // 2)
        return False


def _set(image: Any, picture: Any, ratio: int) -> None:
    """Put a picture into a widget, pixel for pixel on screens of a high resolution where Python can do that."""
    if ratio > 1:
        try:
            gi.require_foreign("cairo")
        except ImportError:
            picture = picture.scale_simple(
                max(1, picture.get_width() // ratio),
                max(1, picture.get_height() // ratio),
                gtk()[2].InterpType.BILINEAR,
            )
        else:
            image.set_from_surface(gtk()[1].cairo_surface_create_from_pixbuf(picture, ratio, None))
            return
    image.set_from_pixbuf(picture)
