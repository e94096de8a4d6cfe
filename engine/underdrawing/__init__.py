"""Underdrawing: paint on the outlines and flat areas of a picture, and the picture follows.

For scripts `import underdrawing as ud` has what `underdrawing.scripting` holds.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from underdrawing.scripting import Engine, Picture, PictureError, Thing, ThingEdit, areas, follow, open, pick, save

__version__ = "0.1.0"
__all__ = ["Engine", "Picture", "PictureError", "Thing", "ThingEdit", "areas", "follow", "open", "pick", "save"]

# onnxruntime 1.31 sends usage data to its maker unless told otherwise before it is loaded; Underdrawing works on the
# user's own machine and tells nobody. Child processes inherit it. Whoever wants it back sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    """Loaded when a script uses it, as the engine's processes and the command line do without."""
    if name in __all__:
        return getattr(importlib.import_module("underdrawing.scripting"), name)
    raise AttributeError(f"module 'underdrawing' has no attribute {name!r}")
