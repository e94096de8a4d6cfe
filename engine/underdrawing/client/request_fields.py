"""Fields of requests: what a value must be, and the sentence for one that is not. Both ends of the wire check them."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, fields
from typing import Any, Callable, ClassVar, Dict, List, Tuple, Type, TypeVar, get_args, get_type_hints

from .messages import EngineError

MOST_PATCHES = 256
MOST_PLANES = 3
HASH = re.compile(r"[0-9a-f]{64}\Z")

Check = Callable[[str, Any], None]
R = TypeVar("R", bound="Request")


def wrong(text: str, hint: str = "") -> EngineError:
    """The error for a field that cannot be used."""
    return EngineError("bad_request", text, hint)


def kind(*kinds: type) -> Check:
    """A value of one of these types; a boolean is no number."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise wrong("The field %r of the request has the wrong type." % name)

    return check


def number(low: float, high: float) -> Check:
    """A number within these bounds."""

    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise wrong("%s must be a number from %g to %g." % (name, low, high))

    return check


def whole(low: int, high: int) -> Check:
    """A whole number within these bounds."""

    def check(name: str, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise wrong("%s must be a whole number from %g to %g." % (name, low, high))

    return check


def positive(name: str, value: Any) -> None:
    """A number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise wrong("%s must be a number above 0." % name)


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise wrong("%s must be one of: %s." % (name, ", ".join(word for word in words if word)))

    return check


def places(most: int) -> Check:
    """At most so many numbers from 0 to 1."""

    def check(name: str, value: Any) -> None:
        parts = value if isinstance(value, list) else [None]
        fits = all(isinstance(part, (int, float)) and not isinstance(part, bool) and 0 <= part <= 1 for part in parts)
        if not fits or len(parts) > most:
            raise wrong("%s must be up to %d numbers from 0 to 1." % (name, most))

    return check


def points(most: int) -> Check:
    """A list of at most so many points [x, y], in pixels."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) > most:
            raise wrong("%s must be a list of at most %d points." % (name, most))
        for point in value:
            if not isinstance(point, list) or len(point) != 2:
                raise wrong("A point in %s is not [x, y]." % name)
            for part in point:
                number(0, 1e6)(name, part)

    return check


def positions(most: int) -> Check:
    """Positions in a list that has at most so many entries."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, list) or not all(type(one) is int and 0 <= one < most for one in value):
            raise wrong("%s must be a list of whole numbers from 0 to %d." % (name, most - 1))

    return check


def texts(most: int) -> Check:
    """A list of at most so many texts."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) > most or not all(isinstance(one, str) for one in value):
            raise wrong("%s must be a list of at most %d texts." % (name, most))

    return check


def checked_hash(value: object) -> str:
    """A hash from anybody, as it becomes a file name.

    Raises:
        EngineError: it is no sha256 in hexadecimal.
    """
    if not isinstance(value, str) or not HASH.match(value):
        raise wrong("That is not a hash of a picture.")
    return value


def hashed(name: str, value: Any) -> None:
    """The hash of a picture or file."""
    checked_hash(value)


def reference(name: str, value: Any) -> None:
    """A picture by its hash, or a base and the regions that changed since."""
    if not isinstance(value, dict):
        raise wrong("A reference to a picture is not an object.")
    patches = value.get("patches", [])
    if not isinstance(patches, list) or not all(isinstance(p, dict) for p in patches) or len(patches) > MOST_PATCHES:
        raise wrong("The changed regions of a picture are not a list of objects.")
    for patch in patches:
        if type(patch.get("x")) is not int or type(patch.get("y")) is not int:
            raise wrong("A changed region of a picture lacks its place: x and y in whole pixels.")
    for key in hashes(value) or (None,):
        checked_hash(key)


def lifted(most: int) -> Check:
    """Things that were lifted off a picture: at most so many of {pixels, x, y, was}."""

    def check(name: str, value: Any) -> None:
        kind(list)(name, value)
        if len(value) > most:
            raise wrong("%d lifted things are too many; %d can be put back together." % (len(value), most))
        for one in value:
            kind(dict)(name, one)
            pictures = [one[key] for key in ("pixels", "was") if one.get(key) is not None]
            for picture in pictures:
                reference(name, picture)
            if not pictures:
                raise wrong("A lifted thing has neither pixels nor a mask of where it was.")
            for key in ("x", "y"):
                whole(-1_000_000, 1_000_000)("The %s of a lifted thing" % key, one.get(key, 0))

    return check


def references(most: int) -> Check:
    """A list of references to pictures."""

    def check(name: str, value: Any) -> None:
        kind(list)(name, value)
        if len(value) > most:
            raise wrong("%d pictures are too many; %d can be used together." % (len(value), most), "Leave some out.")
        for one in value:
            reference(name, one)

    return check


def planes(name: str, value: Any) -> None:
    """The planes of an underdrawing: references by name."""
    kind(dict)(name, value)
    if not value or len(value) > MOST_PLANES:
        raise EngineError("plane_missing", "The underdrawing has no plane.", "Send segments, edges or paint.")
    planes_or_none(name, value)


def planes_or_none(name: str, value: Any) -> None:
    """The planes of an underdrawing where there is one: not every method needs one."""
    kind(dict)(name, value)
    if value and len(value) > MOST_PLANES:
        planes(name, value)
    for one in value.values():
        reference(name, one)


def region(name: str, value: Any) -> None:
    """Where a region tool works: a mask, a point, or a class."""
    kind(dict)(name, value)
    if "mask" in value:
        reference(name, value["mask"])
        return
    point = value.get("point")
    pointed = isinstance(point, list) and len(point) == 2 and all(type(v) is int for v in point)
    if not pointed and not isinstance(value.get("class"), str):
        raise wrong("The region is no mask, no point and no class.")


def area(name: str, value: Any) -> None:
    """x, y, width and height in whole pixels."""
    is_area = isinstance(value, list) and len(value) == 4 and all(type(v) is int for v in value)
    if not is_area or value[2] <= 0 or value[3] <= 0:
        raise wrong("The %s must be x, y, width and height in whole pixels." % name)


def class_match(most: int) -> Check:
    """Names of classes by the numbers of areas, which JSON holds as text."""

    def check(name: str, value: Any) -> None:
        kind(dict)(name, value)
        for part, chosen in value.items():
            short = isinstance(part, str) and part.isascii() and part.isdigit() and len(part) < 3
            if not short or int(part) >= most or not isinstance(chosen, str):
                raise wrong("%s must name a class for each number of an area." % name)

    return check


def hashes(*values: Any) -> Tuple[str, ...]:
    """All hashes of blobs that references speak of, wherever in them."""
    found: List[str] = []
    for value in values:
        if isinstance(value, dict):
            if "base" in value:
                found.append(value["base"])
                found.extend(hashes(*value.get("patches", [])))
            elif "hash" in value:
                found.append(value["hash"])
            else:
                found.extend(hashes(*value.values()))
        elif isinstance(value, (list, tuple)):
            found.extend(hashes(*value))
    return tuple(found)


@dataclass(frozen=True)
class Request:
    """One request. Fields that are None, or as they are by default, are not sent.

    Raises:
        EngineError: a field is missing, of the wrong type, or beyond its limits.
    """

    verb: ClassVar[str]

    def __post_init__(self) -> None:
        checks = _checks(type(self))
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and _default(f) is MISSING:
                raise wrong("The request lacks the field %r." % f.name)
            if value is not None and f.name in checks:
                checks[f.name](f.name, value)

    def to_body(self) -> Dict[str, Any]:
        """The body of the message."""
        usual = {f.name: _default(f) for f in fields(self)}
        return {k: v for k, v in self.to_args().items() if v is not None and v != usual[k]}

    def to_args(self) -> Dict[str, Any]:
        """All fields with their values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_body(cls: Type[R], body: Dict[str, Any]) -> R:
        """Read the body of a message; fields that are not known are ignored."""
        needed = [f.name for f in fields(cls) if _default(f) is MISSING]
        given = [f.name for f in fields(cls) if body.get(f.name) is not None]
        return cls(**{name: body.get(name) for name in (*needed, *given)})


def _default(known: Any) -> Any:
    """A field's default, or MISSING."""
    return known.default if known.default_factory is MISSING else known.default_factory()


_found: Dict[Any, Dict[str, Check]] = {}


def _checks(cls: Any) -> Dict[str, Check]:
    """The checks of a request's fields, which stand in their types."""
    if cls not in _found:
        _found[cls] = _read_checks(cls)
    return _found[cls]


def _read_checks(cls: Any) -> Dict[str, Check]:
    found: Dict[str, Check] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for part in (hint, *get_args(hint)):
            for check in getattr(part, "__metadata__", ()):
                found[name] = check
    return found
