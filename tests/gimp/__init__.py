"""The plug-in in the real GIMP 3, with the real engine."""
