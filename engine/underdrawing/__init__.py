"""Underdrawing: paint on the outlines and flat areas of a picture, and the picture follows."""

import os

__version__ = "0.1.0"

# onnxruntime 1.31 sends usage data to its maker unless told otherwise before it is loaded; Underdrawing works on the
# user's own machine and tells nobody. Child processes inherit it. Whoever wants it back sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
