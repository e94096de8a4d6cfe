"""The window of Pick and Lift: the picture, a click on a thing, its outline, and what becomes of it."""

from __future__ import annotations

from typing import Any

from . import pick, record, widgets
from .client.call import Call as Request
from .client.call import Reply
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Gimp, GLib, gtk
from .pick import Action
from .picture_view import PictureView, Point
from .plugin import CancelledError
from .service import Background

SIDE = 640, 440  # pixels of the picture on the screen, at least
HALF = bytes(int(value > 127) for value in range(256))
CLICK = "Click a thing. Shift and a click adds to it, Ctrl and a click takes away."
SIZES = "The mouse wheel, or Smaller and Bigger, take less or more of it."
# Outside of the thing, inside, and two lines around it, dark and bright: red, green, blue, alpha.
COLOURS = ((0, 0, 0, 110), (0, 0, 0, 0), (0, 0, 0, 255), (255, 235, 60, 255))


def outlined(mask: Frame) -> bytes:
    """A mask as RGBA to be laid over its picture: what is outside is darker, with an outline in between."""
    inside = bytes(mask.data).translate(HALF)
    bright = _edge(inside, mask.width, 1)
    dark = _edge(inside, mask.width, 2)
    # One byte a pixel: the line where there is one, else inside or outside.
    kinds = bytes(map(max, inside, bright.translate(_only(3)), dark.translate(_only(2))))
    made = bytearray(4 * len(kinds))
    for channel in range(4):
        made[channel::4] = kinds.translate(bytes([colour[channel] for colour in COLOURS] + [0] * 252))
    return bytes(made)


def _only(value: int) -> bytes:
    """A table that gives this value for everything but 0."""
    return bytes([0] + [value] * 255)


def _edge(inside: bytes, width: int, distance: int) -> bytes:
    """1 where a pixel to the left or above, so far away, is on the other side of the outline."""
    number = int.from_bytes(inside, "big")
    edge = (number ^ number >> 8 * distance) | (number ^ number >> 8 * distance * width)
    return edge.to_bytes(len(inside), "big")


class Window:
    """All of it happens in this thread; the engine is looked at from a timer. The newest click wins."""

    def __init__(self, image: Gimp.Image, source: Gimp.Layer) -> None:
        self.image = image
        self.loop = GLib.MainLoop()
        self.background = Background()
        self.request: Request | None = None
        self.inside: list[Point] = []
        self.outside: list[Point] = []
        self.masks: list[Frame] = []
        self.place = 0
        self.action: Action | None = None
        self.small = pick.small_picture(source)
        self.base = widgets.pixbuf(self.small)
        self.view = PictureView(CLICK, *SIDE)
        self.view.on_click(self._clicked, self._step)
        self.state = widgets.label("", wrap=90)
        self.wrong = widgets.label("", wrap=90)
        self.smaller = widgets.button("S_maller", lambda: self._step(-1))
        self.bigger = widgets.button("_Bigger", lambda: self._step(1))
        remove = widgets.button("_Remove", lambda: self._end(Action.REMOVE))
        remove.set_tooltip_text("Take it out of the picture: its place is filled from what is around it.")
        select = widgets.button("_Select", lambda: self._end(Action.SELECT))
        select.set_tooltip_text("Make it GIMP's selection.")
        lift = widgets.button("_Lift", lambda: self._end(Action.LIFT))
        lift.set_tooltip_text("Put it on a layer of its own. Move, scale or warp that, then choose Apply Edit.")
        self.actions = [remove, select, lift]
        content = widgets.column(spacing=widgets.GAP)
        content.pack_start(self.view.box, True, True, 0)
        for text in (self.state, self.wrong):
            content.pack_start(text, False, False, 0)
        buttons = [self.smaller, self.bigger, *self.actions]
        title = "Pick and Lift from “%s”" % record.title(image)
        self.window = widgets.window(title, "underdrawing-pick", content, buttons, self.loop.quit)
        lift.set_can_default(True)
        self.window.set_default(lift)
        self.window.show_all()
        self.view.set_from_pixbuf(self.base)
        self._show()

    def run(self) -> tuple[Action, Frame]:
        """Show it until a thing is chosen: what becomes of it, and its mask.

        Raises:
            CancelledError: the window was closed.
        """
        GLib.timeout_add(widgets.LOOK, self._look)
        self.loop.run()
        self.background.close()
        self.window.destroy()
        if self.action is None or not self.masks:
            raise CancelledError
        record.need_open(self.image)
        return self.action, self.masks[self.place]

    def _look(self) -> bool:
        """Close the window after the picture."""
        if not self.image.is_valid():
            self.loop.quit()
        return bool(self.image.is_valid())

    def _clicked(self, spot: Point, adds: bool, takes: bool) -> None:
        if takes and self.inside:
            self.outside.append(spot)
        elif adds and self.inside:
            self.inside.append(spot)
        else:
            self.inside, self.outside = [spot], []
        if self.request is not None:
            self.background.give_up(self.request)
        wanted = pick.pick_request(self.small, self.inside, self.outside)
        self.request = self.background.begin(wanted, self._picked, [self.small])
        self.state.set_text("Looking for the thing…")

    def _picked(self, reply: Reply | None, error: EngineError | None) -> None:
        self.request = None
        self.masks = []
        if reply is not None:
            self.masks, self.place = pick.candidates(reply, self.background.picture)
        self._show(error)

    def _step(self, by: int) -> None:
        """Take less or more."""
        self.place = min(max(self.place + by, 0), max(len(self.masks) - 1, 0))
        self._show()

    def _show(self, error: EngineError | None = None) -> None:
        widgets.show_error(self.wrong, error)
        for one in self.actions:
            one.set_sensitive(bool(self.masks))
        self.smaller.set_sensitive(self.place > 0 and bool(self.masks))
        self.bigger.set_sensitive(self.place < len(self.masks) - 1)
        self.state.set_text(SIZES if self.masks else "")
        shown: Any = self.base
        if self.masks:
            shown = self.base.copy()
            size = (shown.get_width(), shown.get_height())
            over = widgets.pixbuf_of(outlined(self.masks[self.place]), *size, 4)
            shown_how = gtk()[2].InterpType.NEAREST
            over.composite(shown, 0, 0, *size, 0.0, 0.0, 1.0, 1.0, shown_how, 255)
        self.view.set_from_pixbuf(shown)

    def _end(self, action: Action) -> None:
        self.action = action
        self.window.close()
