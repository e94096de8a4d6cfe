"""What a person can send to somebody who helps: versions and states, without secrets and folders of theirs."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

from .gi import Gimp

PRIVATE = ("home", "pid")


def diagnostics(status: dict[str, Any]) -> str:
    """A report, from what the engine says of itself; an empty answer means that it did not run."""
    told: dict[str, Any] = {key: value for key, value in status.items() if key not in PRIVATE}
    for job in told.get("jobs") or []:
        job["name"] = "…"
    told["gimp"] = Gimp.version()
    told["python"] = sys.version.split()[0]
    told["system"] = platform.platform()
    return json.dumps(told, indent=1, ensure_ascii=False).replace(str(Path.home()), "~")
