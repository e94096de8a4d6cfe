"""What requests say about pictures and places, checked: it comes from outside."""

from __future__ import annotations

from typing import Any

from underdrawing.client.frames import check_header
from underdrawing.client.messages import EngineError, need
from underdrawing.store.blob_store import Spool, checked_hash

PLANES = ("segments", "edges", "paint")
MOST_AREAS = 64
MOST_PATCHES = 256
MOST_SEED = 2**63 - 1


def reference(spool: Spool, value: Any) -> dict[str, Any]:
    """A picture by its hash, or a base and the regions that changed since; all of it must be there.

    Raises:
        EngineError: it is not in this form, or the engine does not have a part of it.
    """
    if not isinstance(value, dict):
        raise EngineError("bad_request", "A reference to a picture is not an object.")
    patches = value.get("patches", [])
    if not isinstance(patches, list) or not all(isinstance(p, dict) for p in patches) or len(patches) > MOST_PATCHES:
        raise EngineError("bad_request", "The changed regions of a picture are not a list of objects.")
    for patch in patches:
        need(patch, "x", int)
        need(patch, "y", int)
    for key in hashes(value) or (None,):
        check_header(spool.header(checked_hash(key)))
    return value


def hashes(*values: Any) -> tuple[str, ...]:
    """All hashes of blobs that references speak of, wherever in them."""
    found: list[str] = []
    for value in values:
        if isinstance(value, dict):
            if "base" in value:
                found.append(value["base"])
                found.extend(hashes(*value.get("patches", [])))
            elif "hash" in value:
                found.append(value["hash"])
            else:
                found.extend(hashes(*value.values()))
        elif isinstance(value, tuple):
            found.extend(hashes(*value))
    return tuple(found)


def planes(spool: Spool, body: dict[str, Any]) -> dict[str, Any]:
    """The planes of an underdrawing, by name.

    Raises:
        EngineError: there is none, or one of them is not there.
    """
    given = need(body, "planes", dict)
    if not given or len(given) > len(PLANES):
        raise EngineError("plane_missing", "The underdrawing has no plane.", "Send segments, edges or paint.")
    return {str(name): reference(spool, value) for name, value in given.items()}


def planes_or_none(spool: Spool, body: dict[str, Any]) -> dict[str, Any]:
    """The planes of an underdrawing where there is one: not every method needs one.

    Raises:
        EngineError: one of them is not there.
    """
    return planes(spool, body) if need(body, "planes", dict, {}) else {}


def region(spool: Spool, body: dict[str, Any]) -> dict[str, Any]:
    """Where a region tool works: a mask, a point, or a class.

    Raises:
        EngineError: it is none of these.
    """
    given = need(body, "region", dict)
    if "mask" in given:
        return {"mask": reference(spool, given["mask"])}
    point = given.get("point")
    if isinstance(point, list) and len(point) == 2 and all(type(v) is int for v in point):
        return {"point": point}
    if isinstance(given.get("class"), str):
        return {"class": given["class"]}
    raise EngineError("bad_request", "The region is no mask, no point and no class.")


def area(value: Any) -> list[int] | None:
    """x, y, width and height in whole pixels, or None.

    Raises:
        EngineError: it is something else.
    """
    if value is None:
        return None
    whole = isinstance(value, list) and len(value) == 4 and all(type(v) is int for v in value)
    if not whole or value[2] <= 0 or value[3] <= 0:
        raise EngineError("bad_request", "The region must be x, y, width and height in whole pixels.")
    return list(value)


def number(body: dict[str, Any], key: str) -> float | None:
    """A number above 0, or None.

    Raises:
        EngineError: it is something else.
    """
    value = body.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9):
        raise EngineError("bad_request", f"{key} must be a number above 0.")
    return value


def between(body: dict[str, Any], key: str, low: float, high: float, whole: bool = False) -> float | int | None:
    """A number of these bounds (a whole one), or None.

    Raises:
        EngineError: it is something else.
    """
    value = body.get(key)
    if value is None:
        return None
    kinds: Any = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        text = f"{key} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}."
        raise EngineError("bad_request", text)
    return value


def match_of(body: dict[str, Any]) -> dict[str, str]:
    """Names of classes by numbers of areas; empty where nothing is said.

    Raises:
        EngineError: it is something else.
    """
    given = need(body, "match", dict, {})
    for area, name in given.items():
        number = int(area) if area.isascii() and area.isdigit() and len(area) < 3 else MOST_AREAS
        if number >= MOST_AREAS or not isinstance(name, str):
            raise EngineError("bad_request", "match must name a class for each number of an area.")
    return given


def one_of(body: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    """One of some words; the first where nothing is said.

    Raises:
        EngineError: it is another.
    """
    value = body.get(key)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise EngineError("bad_request", f"{key} must be one of {', '.join(allowed)}.")
    return str(value)


def order(body: dict[str, Any]) -> str:
    """The order in which the client wants the pictures of the answer; empty for what they have.

    Raises:
        EngineError: there is no such order.
    """
    return one_of(body, "order", ("", "LA", "RGBA", "BGRA"))


def apply_options(body: dict[str, Any]) -> dict[str, Any]:
    """How an edit becomes a result, checked.

    Raises:
        EngineError: one of the options is of the wrong kind.
    """
    feather = between(body, "feather", 0, 1000)
    return {
        "mask_mode": one_of(body, "mask_mode", ("limit", "only", "add")),
        "blend": one_of(body, "blend", ("none", "poisson")),
        "grow": between(body, "grow", 0, 10_000, whole=True),
        "seed": between(body, "seed", 0, MOST_SEED, whole=True),
        "whole": bool(body.get("whole")),
        "baked": bool(body.get("baked")),
        "merged": bool(body.get("merged")),
        **({} if feather is None else {"feather": feather}),
    }
