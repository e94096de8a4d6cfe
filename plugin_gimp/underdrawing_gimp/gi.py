"""GIMP's libraries, in the versions that this plug-in is written for."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")

from gi.repository import Babl, Gegl, Gimp, Gio, GLib, GObject  # noqa: E402

__all__ = ["Babl", "GLib", "GObject", "Gegl", "Gimp", "Gio", "breathe", "gtk"]


_windows: dict[str, Any] = {}


def gtk() -> Any:
    """Gtk, Gdk, GdkPixbuf and GimpUi, ready for windows; loaded only where there is a screen."""
    for name, version in (("Gdk", "3.0"), ("GdkPixbuf", "2.0"), ("Gtk", "3.0"), ("GimpUi", "3.0")):
        gi.require_version(name, version)
    from gi.repository import Gdk, GdkPixbuf, GimpUi, Gtk

    if not _windows:
        GimpUi.init("underdrawing")
        _windows["gtk"] = Gtk
    return Gtk, Gdk, GdkPixbuf, GimpUi


def breathe() -> None:
    """Let open windows be drawn and answer, while something is waited for; does nothing where there are none."""
    Gtk = _windows.get("gtk")
    while Gtk is not None and Gtk.events_pending():
        Gtk.main_iteration()
