"""Messages: their form on the wire, their limits, and errors as both ends speak of them. See docs/protocol.md."""

from __future__ import annotations

import json
import math
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence, Tuple

PROTOCOL = 1
MAGIC = b"UD1"

# No part of a message may be longer than MOST_BYTES. Pictures of at most INLINE bytes together go with the message
# that speaks of them; bigger ones travel alone, in chunks of CHUNK bytes, WINDOW of them on their way at a time.
MOST_BYTES = 4 << 20
SEALED = MOST_BYTES + 64  # what ZeroMQ must let through: encryption adds 33 bytes to every part
INLINE = 4 << 20
CHUNK = 1 << 20
WINDOW = 4
MOST_PARTS = 16
MOST_HEADER = 1 << 20
MOST_DEPTH = 16
MOST_HASHES = 256  # in one question for what is missing

UNANSWERED = ("ping", "bye", "abandon")  # verbs

HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: JSON can name them alone, UTF-8 cannot hold them

REQUEST, REPLY, EVENT, ERROR = "request", "reply", "event", "error"


class EngineError(Exception):
    """Something that the user is told.

    Attributes:
        code: for programs, lower case with underscores.
        message: one sentence that says what is wrong.
        hint: one sentence that says what to do, or "".
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_dict(self) -> Dict[str, str]:
        """For the wire and for `--json`."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    @classmethod
    def from_dict(cls, raw: Any) -> EngineError:
        """What the other end says; damaged errors are still errors."""
        if not isinstance(raw, dict):
            return cls("unknown", "The engine reported an error that cannot be read.")
        texts = [str(raw.get(key, "")) for key in ("code", "message", "hint")]
        return cls(texts[0] or "unknown", texts[1] or "The engine reported an error without a text.", texts[2])

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.code, self.message, self.hint)


@dataclass(frozen=True)
class Message:
    """One message in either direction.

    Attributes:
        kind: "request", "reply", "event" or "error".
        id: of the request that it is, or that it answers.
        verb: of requests.
        body: a JSON object.
        frames: headers of the attached binary parts, in order.
        parts: the binary parts.
    """

    kind: str
    id: str
    verb: str = ""
    body: Dict[str, Any] = field(default_factory=dict)
    frames: List[Dict[str, Any]] = field(default_factory=list)
    parts: Sequence[Any] = ()

    def encode(self) -> List[Any]:
        """The parts of the multipart message."""
        header: Dict[str, Any] = {"protocol": PROTOCOL, "kind": self.kind, "id": self.id, "body": self.body}
        if self.verb:
            header["verb"] = self.verb
        if self.frames:
            header["frames"] = self.frames
        text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return [MAGIC, text.encode("utf-8"), *self.parts]


def new_id() -> str:
    """A fresh request id."""
    return uuid.uuid4().hex


def _plain(value: Any, left: int = MOST_DEPTH) -> bool:
    """Whether a JSON value is nested no deeper than allowed, and holds nothing that could not be sent back.

    Python reads what is no JSON (NaN, half of a surrogate pair) and then fails to write it: one such value, kept with
    a job, would spoil every later answer that speaks of the job.
    """
    if left < 0:
        return False
    if isinstance(value, str):
        return not HALVES.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_plain(k) and _plain(v, left - 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_plain(v, left - 1) for v in value)
    return True


def decode(parts: Sequence[Any]) -> Message:
    """Read a multipart message from anybody.

    Raises:
        EngineError: it is not one of ours, too large, or from another version of the protocol.
    """
    if len(parts) < 2 or bytes(parts[0]) != MAGIC:
        raise EngineError("not_a_message", "This is not a message of this protocol.")
    if len(parts) > MOST_PARTS + 2 or len(parts[1]) > MOST_HEADER:
        raise EngineError("too_large", "The message has too many parts or too long a header.")
    try:
        header = json.loads(bytes(parts[1]).decode("utf-8"))
    except (ValueError, RecursionError):
        raise EngineError("not_a_message", "The header of the message is not JSON.") from None
    if not isinstance(header, dict) or not _plain(header):
        raise EngineError("not_a_message", "The header of the message is not a plain object.")
    if header.get("protocol") != PROTOCOL:
        raise EngineError(
            "protocol",
            "The message speaks protocol %r, this side speaks %d." % (header.get("protocol"), PROTOCOL),
            "Install the plug-in and the engine of the same version.",
        )
    kind, identity, verb = header.get("kind"), header.get("id"), header.get("verb", "")
    body, frames = header.get("body"), header.get("frames", [])
    if kind not in (REQUEST, REPLY, EVENT, ERROR) or not isinstance(identity, str) or not 0 < len(identity) <= 64:
        raise EngineError("not_a_message", "The message has no proper kind or id.")
    if not isinstance(verb, str) or not isinstance(body, dict) or not isinstance(frames, list):
        raise EngineError("not_a_message", "The message has a verb, body or frames of the wrong type.")
    if not all(isinstance(frame, dict) for frame in frames):
        raise EngineError("not_a_message", "A frame header is not an object.")
    return Message(kind, identity, verb, body, frames, tuple(parts[2:]))


def request(
    verb: str, body: Dict[str, Any], frames: Sequence[Dict[str, Any]] = (), parts: Sequence[Any] = ()
) -> Message:
    """A request with a fresh id."""
    return Message(REQUEST, new_id(), verb, body, list(frames), parts)


def reply(to: str, body: Dict[str, Any], frames: Sequence[Dict[str, Any]] = (), parts: Sequence[Any] = ()) -> Message:
    """The end of a request that went well."""
    return Message(REPLY, to, "", body, list(frames), parts)


def event(to: str, body: Dict[str, Any]) -> Message:
    """Something on the way: progress, a heartbeat, a sample."""
    return Message(EVENT, to, "", body)


def failure(to: str, error: EngineError) -> Message:
    """The end of a request that did not go well."""
    return Message(ERROR, to, "", error.as_dict())
