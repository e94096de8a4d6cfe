"""Options written as KEY=VALUE."""

from __future__ import annotations

from typing import Any, Dict, Sequence

from .messages import EngineError


def options_of(words: Sequence[str]) -> Dict[str, Any]:
    """`key=value` words; values are numbers or yes/no where they look like it.

    Raises:
        EngineError: a word has another form.
    """
    found: Dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise EngineError("bad_option", "'%s' is not an option." % word, "Write KEY=VALUE.")
        found[key.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    if text.lower() in ("true", "yes", "on"):
        return True
    if text.lower() in ("false", "no", "off"):
        return False
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
