"""GIMP's libraries, in the versions that this plug-in is written for."""

from __future__ import annotations

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")

from gi.repository import Babl, Gegl, Gimp, Gio, GLib, GObject  # noqa: E402

__all__ = ["Babl", "GLib", "GObject", "Gegl", "Gimp", "Gio", "gtk"]


def gtk():
    """Gtk, Gdk, GdkPixbuf and GimpUi, ready for windows; loaded only where there is a screen."""
    for name, version in (("Gdk", "3.0"), ("GdkPixbuf", "2.0"), ("Gtk", "3.0"), ("GimpUi", "3.0")):
        gi.require_version(name, version)
    from gi.repository import Gdk, GdkPixbuf, GimpUi, Gtk

    if not gtk.ready:
        GimpUi.init("underdrawing")
        gtk.ready = True
    return Gtk, Gdk, GdkPixbuf, GimpUi


gtk.ready = False
