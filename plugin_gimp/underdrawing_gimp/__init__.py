"""Underdrawing's plug-in for GIMP 3. Needs GIMP's own Python and GTK, and the copy of `link` beside these files."""
