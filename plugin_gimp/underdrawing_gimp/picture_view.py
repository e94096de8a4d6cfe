"""A picture in a window that fills its place and grows with the window."""

from __future__ import annotations

from typing import Any, Callable

import gi

from . import widgets
from .gi import GLib, gtk

Point = tuple[float, float]  # x and y from 0 to 1, of the picture's width and height


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
        self._at = 0, 0
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

    def on_click(self, clicked: Callable[[Point, bool, bool], None], turned: Callable[[int], None]) -> None:
        """Listen to the mouse.

        Args:
            clicked: called with the place in the picture, and whether Shift and Ctrl are held.
            turned: called with 1 or -1 for the wheel, up and down.
        """
        Gdk = gtk()[1]
        masks = Gdk.EventMask
        self._place.add_events(masks.BUTTON_PRESS_MASK | masks.SCROLL_MASK)

        def press(_: Any, event: Any) -> bool:
            place = self._place_of(event.x, event.y)
            if event.button == 1 and event.type == Gdk.EventType.BUTTON_PRESS and place is not None:
                held = event.state
                adds, takes = Gdk.ModifierType.SHIFT_MASK, Gdk.ModifierType.CONTROL_MASK
                clicked(place, bool(held & adds), bool(held & takes))
            return True

        def scroll(_: Any, event: Any) -> bool:
            if event.direction in (Gdk.ScrollDirection.UP, Gdk.ScrollDirection.DOWN):
                turned(1 if event.direction == Gdk.ScrollDirection.UP else -1)
            return True

        self._place.connect("button-press-event", press)
        self._place.connect("scroll-event", scroll)

    def _place_of(self, x: float, y: float) -> Point | None:
        """Where a place of the widget lies in the picture; None beside it."""
        if self._shown is None:
            return None
        room, ratio = self._place.get_allocation(), self._place.get_scale_factor()
        width, height = (side / ratio for side in self._shown)
        found = ((x - (room.width - width) / 2) / width, (y - (room.height - height) / 2) / height)
        return found if all(0 <= part < 1 for part in found) else None

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
        at = (room.width - size[0] // ratio) // 2, (room.height - size[1] // ratio) // 2
        if self._at != at:  # moving it makes GTK lay the window out again
            self._at = at
            self._place.move(self._image, *at)
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
