"""Words that people read go through Krita's own translation call."""

from __future__ import annotations

import builtins
from typing import Any, Callable


def tr(text: str) -> str:
    """A text in the user's language, where Krita has it; as it is, where there is no Krita."""
    translate: Callable[[str], Any] | None = getattr(builtins, "i18n", None)
    return text if translate is None else str(translate(text))


def duration(seconds: float) -> str:
    """A length of time as people say it: "45 s", "2:05 min", "1:10 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return "%d s" % whole
    if whole < 3600:
        return "%d:%02d min" % divmod(whole, 60)
    return "%d:%02d h" % divmod(whole // 60, 60)


def size(count: float) -> str:
    """A number of bytes as people say it."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return "%.0f %s" % (count, unit)
        count /= 1000
    return "%.1f GB" % count
