"""docs/protocol.md names every verb, every error code and every limit there is, and none that is not."""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from underdrawing.client.frames import Frame
from underdrawing.client.messages import UNANSWERED
from underdrawing.client.requests import REQUESTS
from underdrawing.daemon.handlers import HANDLERS
from underdrawing.daemon.job_queue import Job, State

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "s": 1}
# Numbers in the code that are no limits of the protocol: how often something is looked at, how long a log is.
MODULES = (
    "client.messages client.frames client.session client.request_fields client.requests daemon.clients daemon.server "
    "daemon.job_queue store.model_library daemon.render_queue daemon.handlers_train store.blob_store"
).split()
INNER = {"PROTOCOL", "SEALED", "SWEEP", "SHOW", "LOOK", "A_FEW", "STEP", "FAREWELL", "PATIENT"}


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """Cells of all tables in a text, without heads and rules."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        ruled = number + 1 < len(lines) and lines[number + 1].startswith("|---")
        if line.startswith("|") and not line.startswith("|---") and not ruled:
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def raised() -> set[str]:
    """Codes of all errors that the engine's rooms make."""
    found = {"unknown"}  # what a damaged error becomes
    for part in ("client", "daemon", "store", "render", "train"):
        for path in (ROOT / "engine" / "underdrawing" / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    name = getattr(node.func, "id", "")
                    if name in ("EngineError", "TrainingError"):
                        found.add(str(node.args[0].value))
    return found


def limits() -> dict[str, float]:
    """Numbers with names of their own in the modules that keep limits."""
    found = {}
    for name in MODULES:
        module = importlib.import_module(f"underdrawing.{name}")
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in tree.body:
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Name) and isinstance(getattr(module, target.id), int | float):
                    found[f"{name.split('.')[1]}.{target.id}"] = getattr(module, target.id)
    return {name: value for name, value in found.items() if name.split(".")[1] not in INNER}


def test_every_verb_is_documented_and_no_other() -> None:
    assert set(re.findall(r"^### (\S+)$", section("Verbs"), re.MULTILINE)) == set(REQUESTS) == set(HANDLERS)


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_a_verb_says_what_it_takes_and_gives(verb: str) -> None:
    part = section("Verbs").split(f"### {verb}\n", 1)[1].split("\n### ", 1)[0]
    assert "Request:" in part
    assert ("Reply" in part) != (verb in UNANSWERED)
    assert ("Not answered" in part) == (verb in UNANSWERED)


def request_text(verb: str) -> str:
    """What the document says of a verb's request, in one line."""
    part = section("Verbs").split(f"### {verb}\n", 1)[1].split("\n### ", 1)[0]
    return " ".join(part.split("Request:", 1)[1].split("- Reply", 1)[0].split())


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_every_field_is_documented_and_may_be_left_out_where_it_has_a_default(verb: str) -> None:
    text = request_text(verb)
    for known in fields(REQUESTS[verb]):
        if known.name == "order":  # described once for all verbs that take it
            continue
        optional = known.default is not MISSING or known.default_factory is not MISSING
        assert f"`{known.name}`" in text, known.name
        assert optional == (f"*`{known.name}`*" in text), known.name
    if not fields(REQUESTS[verb]):
        assert text.startswith(("`{}`", "*`"))


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_every_number_that_is_a_default_is_documented(verb: str) -> None:
    text = request_text(verb)
    for known in fields(REQUESTS[verb]):
        if isinstance(known.default, int | float) and not isinstance(known.default, bool):
            explained = text.rsplit(f"*`{known.name}`*", 1)[1].split("*`", 1)[0]
            assert f"({known.default:g})" in explained, known.name


def test_the_verbs_that_take_an_order_are_documented() -> None:
    text = " ".join(section("Pictures").split("### In the order of the client", 1)[1].split())
    taken = {verb for verb, kind in REQUESTS.items() if "order" in {known.name for known in fields(kind)}}
    assert set(re.findall(r"`(\w+)`", text.split(" take a field", 1)[0])) == taken


def test_every_error_code_is_documented_and_no_other() -> None:
    codes = [row[0].strip("`") for row in rows(section("Error codes"))]
    assert len(codes) == len(set(codes))
    assert set(codes) == raised()


def test_every_limit_is_documented_with_its_value_and_no_other() -> None:
    told = {}
    for row in rows(section("Limits")):
        number, _, unit = row[1].partition(" ")
        told[row[2].strip("`")] = int(number) * UNITS[unit]
    assert told == limits()


def test_the_fields_of_jobs_and_pictures_are_documented() -> None:
    fields = {field for row in rows(section("Jobs")) for field in re.findall(r"`(\w+)`", row[0])}
    assert fields == set(Job("1", "2", "3", {}).public())
    assert all(f"`{state}`" in section("Jobs") for state in State)
    fields = {field for row in rows(section("Pictures")) for field in re.findall(r"`(\w+)`", row[0])}
    assert fields == set(Frame(1, 1, "L", "u8", b"0", metadata=b"{}").header())


def test_the_example_of_a_hash_is_right() -> None:
    frame = Frame(8, 6, "RGB", "u8", bytes(range(144)))
    described = next(line for line in section("Pictures").splitlines() if line.startswith("{") and "depth" in line)
    assert hashlib.sha256(described.encode() + b"\n" + bytes(range(144))).hexdigest() == frame.hash
    assert frame.hash in section("Pictures")
