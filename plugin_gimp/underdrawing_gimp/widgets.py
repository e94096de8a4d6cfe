"""Small things that several windows need: pictures of frames, messages, dialogs of procedures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from .client.frames import Frame
from .client.messages import EngineError
from .gi import GLib, breathe, gtk
from .service import sentence

LOOK = 200  # milliseconds between looks at whether the picture is still open
GAP = 12  # pixels between groups of widgets, as GIMP's own dialogs have it


def rgb_bytes(frame: Frame) -> bytes:
    """An 8-bit frame of any order as RGB bytes."""
    data, count = bytes(frame.data), frame.width * frame.height
    if frame.order == "RGB":
        return data
    out = bytearray(3 * count)
    step = len(data) // count
    for channel in range(3):
        place = channel if step >= 3 else 0
        out[channel::3] = data[2 - place if frame.order == "BGRA" else place :: step]
    return bytes(out)


def pixbuf(frame: Frame, longest: int = 0, mask: Frame | None = None) -> Any:
    """An 8-bit frame as GTK shows it.

    Args:
        longest: pixels of its longer side on the screen; 0 for its own size.
        mask: its transparency, `L` of the same size.
    """
    data, channels = rgb_bytes(frame), 3
    if mask is not None:
        mixed = bytearray(4 * frame.width * frame.height)
        for channel in range(3):
            mixed[channel::4] = data[channel::3]
        mixed[3::4] = bytes(mask.data)
        data, channels = bytes(mixed), 4
    made = pixbuf_of(data, frame.width, frame.height, channels)
    if not longest:
        return made
    scale = longest / max(frame.width, frame.height)
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    return made.scale_simple(*size, gtk()[2].InterpType.BILINEAR)


def pixbuf_of(data: bytes, width: int, height: int, channels: int) -> Any:
    """RGB or RGBA bytes as GTK shows them."""
    GdkPixbuf = gtk()[2]
    colours = (GdkPixbuf.Colorspace.RGB, channels == 4, 8, width, height, width * channels)
    return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(data), *colours)


def together(pictures: Sequence[Any]) -> Any:
    """Planes of one size as they lie on each other in the picture: the darker value of each."""
    GdkPixbuf = gtk()[2]
    first = pictures[0]
    if len(pictures) == 1:
        return first
    # Rows of a pixbuf may have gaps, the same ones in pictures of one size.
    data = bytes(map(min, *(bytes(one.get_pixels()) for one in pictures)))
    size = (first.get_width(), first.get_height(), first.get_rowstride())
    return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, False, 8, *size)


def label(text: str = "", wrap: int = 44, markup: bool = False) -> Any:
    """A line or paragraph of text, left-aligned."""
    Gtk = gtk()[0]
    made = Gtk.Label(xalign=0.0, yalign=0.0)
    made.set_line_wrap(True)
    made.set_max_width_chars(wrap)
    if markup:
        made.set_markup(text)
    else:
        made.set_text(text)
    made.set_selectable(False)
    return made


def picture_box(caption: str, side: int) -> tuple[Any, Any]:
    """A place for a picture with a line above: the box, and the image in it."""
    Gtk = gtk()[0]
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
    image = Gtk.Image()
    image.set_size_request(side, side * 2 // 3)
    frame = Gtk.Frame()
    frame.set_shadow_type(Gtk.ShadowType.IN)
    frame.add(image)
    box.pack_start(label(caption), False, False, 0)
    box.pack_start(frame, False, False, 0)
    return box, image


def button(text: str, clicked: Callable[[], None]) -> Any:
    """A button with a mnemonic."""
    Gtk = gtk()[0]
    made = Gtk.Button.new_with_mnemonic(text)
    made.connect("clicked", lambda _: clicked())
    return made


def row(*widgets: Any, spacing: int = 6) -> Any:
    """Widgets beside each other."""
    return _box(gtk()[0].Orientation.HORIZONTAL, widgets, spacing)


def column(*widgets: Any, spacing: int = 6) -> Any:
    """Widgets below each other."""
    return _box(gtk()[0].Orientation.VERTICAL, widgets, spacing)


def _box(orientation: Any, widgets: Sequence[Any], spacing: int) -> Any:
    box = gtk()[0].Box(orientation=orientation, spacing=spacing)
    for widget in widgets:
        box.pack_start(widget, False, False, 0)
    return box


def choice(entries: Sequence[tuple[str, str]], active: str = "") -> Any:
    """A drop-down list of (id, text) pairs."""
    Gtk = gtk()[0]
    made = Gtk.ComboBoxText()
    for identity, text in entries:
        made.append(identity, text)
    made.set_active_id(active if any(active == identity for identity, _ in entries) else entries[0][0])
    return made


def form(rows: Sequence[tuple[str, Any]]) -> Any:
    """Labelled widgets, one below the other; an underscore in a label stands before its key."""
    Gtk = gtk()[0]
    grid = Gtk.Grid(row_spacing=6, column_spacing=GAP)
    for number, (text, widget) in enumerate(rows):
        caption = Gtk.Label(xalign=0.0)
        caption.set_text_with_mnemonic(text)
        caption.set_mnemonic_widget(widget)
        widget.set_hexpand(True)
        grid.attach(caption, 0, number, 1, 1)
        grid.attach(widget, 1, number, 1, 1)
    return grid


def window(title: str, role: str, content: Any, buttons: list[Any], close: Callable[[], None]) -> Any:
    """A window of its own that belongs to GIMP's and is not modal; shown by the caller.

    Args:
        buttons: for the lower right corner.
        close: called once, when the window is closed.
    """
    Gtk, _, _, GimpUi = gtk()
    made = Gtk.Window(title=title)
    made.set_role(role)
    made.set_type_hint(gtk()[1].WindowTypeHint.UTILITY)
    made.set_border_width(GAP)
    made.set_position(Gtk.WindowPosition.CENTER)
    outer = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=GAP)
    outer.pack_start(content, True, True, 0)
    bar = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL, spacing=6)
    bar.set_layout(Gtk.ButtonBoxStyle.END)
    for entry in buttons:
        bar.add(entry)
    outer.pack_end(bar, False, False, 0)
    made.add(outer)

    def closed(*_: Any) -> bool:
        close()
        return False

    def key(_: Any, event: Any) -> bool:
        if event.keyval == gtk()[1].KEY_Escape:
            made.close()
            return True
        return False

    made.connect("delete-event", closed)
    made.connect("key-press-event", key)
    GimpUi.window_set_transient(made)
    return made


def ask(parent: Any, text: str, more: str, yes: str, no: str = "_Cancel") -> bool:
    """A question with two answers."""
    return bool(choose(parent, text, more, [(no, 0), (yes, 1)]))


def choose(parent: Any, text: str, more: str, answers: Sequence[tuple[str, int]]) -> int:
    """A question with several answers: the number of the one that was given.

    Args:
        answers: (text of the button, number) pairs; the first is also that of a closed window, the last the default.
    """
    Gtk, _, _, GimpUi = gtk()
    dialog = Gtk.MessageDialog(transient_for=parent, modal=parent is not None, message_type=Gtk.MessageType.QUESTION)
    dialog.set_property("text", text)
    dialog.set_property("secondary-text", more)
    dialog.set_title("Underdrawing")
    for label, number in answers:
        dialog.add_button(label, number)
    dialog.set_default_response(answers[-1][1])
    if parent is None:
        GimpUi.window_set_transient(dialog)
    answer = dialog.run()
    dialog.destroy()
    breathe()
    return int(answer) if answer >= 0 else answers[0][1]


def tell(parent: Any, error: EngineError) -> None:
    """An error in a box of its own."""
    Gtk = gtk()[0]
    dialog = Gtk.MessageDialog(
        transient_for=parent, modal=True, message_type=Gtk.MessageType.WARNING, buttons=Gtk.ButtonsType.CLOSE
    )
    dialog.set_property("text", error.message)
    dialog.set_property("secondary-text", error.hint)
    dialog.set_title("Underdrawing")
    dialog.run()
    dialog.destroy()


def show_error(place: Any, error: EngineError | None) -> None:
    """An error in a label of a window, or nothing any more."""
    if error is None:
        place.hide()
        place.set_text("")
        return
    place.set_markup("<b>%s</b>" % GLib.markup_escape_text(sentence(error)))
    place.show()
