"""Messages and the form of the pipe: what goes in comes out, and nobody's bytes do any harm."""

from __future__ import annotations

import io
import json
import pickle
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from underdrawing.client import messages
from underdrawing.client.messages import (
    MAGIC,
    MOST_BYTES,
    MOST_DEPTH,
    MOST_HEADER,
    MOST_PARTS,
    EngineError,
    Message,
    decode,
    event,
    failure,
    reply,
    request,
)
from underdrawing.client.pipe_codec import read_parts, write_parts

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["request", "reply", "event", "error"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64),
    TEXTS,
    OBJECTS,
    st.lists(OBJECTS, max_size=3),
    st.lists(st.binary(max_size=40), max_size=MOST_PARTS).map(tuple),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=9), inner),
    max_leaves=12,
)


def wire(message: Message) -> list[bytes]:
    return [bytes(part) for part in message.encode()]


def refused(parts: list[bytes]) -> str:
    with pytest.raises(EngineError) as caught:
        decode(parts)
    return caught.value.code


def header(**changes: Any) -> bytes:
    whole = {"protocol": 1, "kind": "request", "id": "1", "verb": "hello", "body": {}, **changes}
    return json.dumps({key: value for key, value in whole.items() if value is not ...}).encode()


@given(MESSAGES)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    back = decode(wire(message))
    assert (back.kind, back.id, back.verb, back.body) == (message.kind, message.id, message.verb, message.body)
    assert back.frames == message.frames and tuple(back.parts) == tuple(message.parts)


@given(st.lists(st.binary(max_size=60), max_size=MOST_PARTS + 4))
def test_random_bytes_are_refused(parts: list[bytes]) -> None:
    assert refused(parts) == "not_a_message"
    assert refused([MAGIC, *parts]) in ("not_a_message", "too_large")


@given(ANY_JSON)
def test_random_json_is_refused_or_can_be_sent_back(value: object) -> None:
    """Whatever is accepted can be encoded again: the engine repeats parts of it in answers and files."""
    for text in (json.dumps(value), json.dumps({**json.loads(header()), "body": value, "id": "7"})):
        try:
            message = decode([MAGIC, text.encode()])
        except EngineError as error:
            assert error.code in ("not_a_message", "protocol")
        else:
            assert decode(wire(message)).body == message.body


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(MESSAGES, st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=6)), min_size=1, max_size=6), st.data())
def test_mutated_messages_are_refused_or_read(message: Message, cuts: list[tuple[int, bytes]], data: Any) -> None:
    parts = wire(message)
    for place, patch in cuts:
        index = data.draw(st.integers(0, len(parts) - 1))
        part = parts[index]
        at = place % (len(part) + 1)
        parts[index] = part[:at] + patch + part[at + data.draw(st.integers(0, 8)) :]
    try:
        back = decode(parts)
    except EngineError as error:
        assert error.code in ("not_a_message", "too_large", "protocol")
        assert error.message
    else:
        wire(back)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"protocol": 2}, "protocol"),
        ({"protocol": "1"}, "protocol"),
        ({"protocol": ...}, "protocol"),
        ({"kind": "order"}, "not_a_message"),
        ({"kind": ["request"]}, "not_a_message"),
        ({"id": ""}, "not_a_message"),
        ({"id": "x" * 65}, "not_a_message"),
        ({"id": 7}, "not_a_message"),
        ({"id": "\ud800"}, "not_a_message"),
        ({"verb": None}, "not_a_message"),
        ({"body": []}, "not_a_message"),
        ({"body": ...}, "not_a_message"),
        ({"body": {"\udfff": 1}}, "not_a_message"),
        ({"body": {"a": float("nan")}}, "not_a_message"),
        ({"body": {"a": [float("-inf")]}}, "not_a_message"),
        ({"frames": {}}, "not_a_message"),
        ({"frames": [1]}, "not_a_message"),
    ],
)
def test_a_wrong_field_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refused([MAGIC, header(**changes)]) == code


def test_unknown_fields_are_ignored() -> None:
    assert decode([MAGIC, header(mood="good", body={"new": 1})]).body == {"new": 1}


def test_limits_are_inclusive() -> None:
    assert refused([MAGIC, header(), *[b""] * (MOST_PARTS + 1)]) == "too_large"
    assert len(decode([MAGIC, header(), *[b""] * MOST_PARTS]).parts) == MOST_PARTS
    room = MOST_HEADER - len(header(body={"a": ""}))
    assert decode([MAGIC, header(body={"a": "x" * room})])
    assert refused([MAGIC, header(body={"a": "x" * (room + 1)})]) == "too_large"
    value: Any = 0
    for _ in range(MOST_DEPTH - 1):  # the header and its body are two of them
        value = [value]
    assert decode([MAGIC, header(body={"a": value[0]})])
    assert refused([MAGIC, header(body={"a": [[value]]})]) == "not_a_message"


@pytest.mark.parametrize(
    "text", [b"[" * 500_000, b'{"a":' * 150_000, b"9" * 1_000_000, b'{"a": 1e9999}', b"\xff", b"\0"]
)
def test_texts_that_are_hard_to_read_are_refused(text: bytes) -> None:
    assert refused([MAGIC, text]) == "not_a_message"


def test_the_kinds_of_messages() -> None:
    asked = request("hello", {})
    assert (asked.kind, asked.verb, len(asked.id)) == ("request", "hello", 32)
    assert asked.id != request("hello", {}).id
    answers = [reply(asked.id, {"a": 1}), event(asked.id, {"event": "note"}), failure(asked.id, EngineError("c", "m"))]
    assert [answer.kind for answer in answers] == ["reply", "event", "error"]
    assert {answer.id for answer in answers} == {asked.id}
    assert decode(wire(answers[2])).body == {"code": "c", "message": "m", "hint": ""}


def test_errors_survive_the_wire_and_processes() -> None:
    error = EngineError("code", "What is wrong.", "What to do.")
    for back in (EngineError.from_dict(error.as_dict()), pickle.loads(pickle.dumps(error))):
        assert back.as_dict() == error.as_dict()
    for damaged in (None, [], {}, {"code": None, "message": ["x"]}, {"code": ""}):
        assert EngineError.from_dict(damaged).message


# --- the pipe's form


@given(st.lists(st.lists(st.binary(max_size=50), max_size=MOST_PARTS + 2), max_size=4))
def test_a_pipe_carries_messages_in_order(sent: list[list[bytes]]) -> None:
    stream = io.BytesIO()
    for parts in sent:
        write_parts(stream, parts)
    stream.seek(0)
    assert [read_parts(stream) for _ in sent] == sent
    assert read_parts(stream) is None


@given(st.binary(max_size=80))
def test_random_bytes_on_a_pipe_end_it(data: bytes) -> None:
    stream = io.BytesIO(data)
    while read_parts(stream) is not None:
        pass


def test_a_pipe_promises_no_memory_that_it_does_not_have() -> None:
    """A length is refused before anything of that length is read."""
    assert read_parts(io.BytesIO(struct.pack(">IQ", 1, MOST_BYTES + 1) + bytes(MOST_BYTES + 1))) is None
    assert read_parts(io.BytesIO(struct.pack(">I", MOST_PARTS + 3) + bytes(8 * (MOST_PARTS + 3)))) is None
    assert read_parts(io.BytesIO(struct.pack(">IQ", 1, MOST_BYTES) + b"x")) is None
    stream = io.BytesIO()
    write_parts(stream, [bytearray(MOST_BYTES), memoryview(b"abcd").cast("H")])
    stream.seek(0)
    back = read_parts(stream)
    assert back is not None and [len(part) for part in back] == [MOST_BYTES, 4]


def test_the_pipe_takes_whatever_a_message_may_have() -> None:
    assert messages.SEALED > MOST_BYTES >= messages.INLINE >= messages.CHUNK
