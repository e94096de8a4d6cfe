"""docs/commands.md and the manual page, written from the commands' own help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from underdrawing.commands.main import app

PATH = Path(__file__).parents[2] / "docs" / "commands.md"
MANUAL = PATH.with_name("underdrawing.1")
HEAD = "## Reference\n"
LEFT_OUT = ("json", "help")  # options that every command has


def page(text: str) -> str:
    """The page with its reference written anew."""
    head = text.partition(HEAD)[0] + HEAD
    return head + "".join(_section(*found) for found in _commands(typer.main.get_command(app)))


def manual() -> str:
    """The manual page, in the macros of man(7)."""
    command = typer.main.get_command(app)
    head = [
        '.TH UNDERDRAWING 1 "" "Underdrawing" "User Commands"',
        ".SH NAME",
        "underdrawing \\- edit a picture by its things, areas and outlines",
        ".SH SYNOPSIS",
        ".B underdrawing\n.I COMMAND\n.RI [ OPTIONS ]",
        ".SH DESCRIPTION",
        _roff(inspect.cleandoc(str(command.help))),
        "Every command has \\-\\-help and \\-\\-quiet; every command with output has \\-\\-json. "
        "A \\- in place of a file is standard input, and after \\-o standard output, as PNG.",
        ".SH COMMANDS",
    ]
    return "\n".join([*head, *(_manual_section(*found) for found in _commands(command))]) + "\n"


def write() -> Path:
    """Write docs/commands.md and docs/underdrawing.1 anew."""
    PATH.write_text(page(PATH.read_text(encoding="utf-8")), encoding="utf-8")
    MANUAL.write_text(manual(), encoding="utf-8")
    return PATH


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield " ".join(path), command
    for name, one in inner.items():
        yield from _commands(one, (*path, name))


def _section(name: str, command: Any) -> str:
    known = [one for one in command.params if one.name not in LEFT_OUT]
    lines = "\n".join(_parameter(one) for one in known)
    parts = (f"### {name}", inspect.cleandoc(command.help), f"`{_usage(name, known)}`", lines)
    return "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _manual_section(name: str, command: Any) -> str:
    known = [one for one in command.params if one.name not in LEFT_OUT]
    about = _roff(inspect.cleandoc(command.help)).replace("\n\n", "\n.PP\n")
    lines = [f".SS {_roff(_usage(name, known))}", about]
    for one in known:
        label, _, text = _parameter(one).removeprefix("- ").partition(": ")
        lines += [".TP", f".B {_roff(label.replace('`', ''))}", _roff(text)]
    return "\n".join(lines)


def _roff(text: str) -> str:
    """Text in which nothing is a macro or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in text)
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def _usage(name: str, known: list[Any]) -> str:
    return " ".join(["underdrawing", name, *(_label(one) for one in known if one.param_type_name == "argument")])


def _label(one: Any) -> str:
    label = (one.metavar or one.name.upper()).strip("[].") + ("..." if one.nargs < 0 else "")
    return label if one.required else f"[{label}]"


def _parameter(one: Any) -> str:
    """An argument or option with its help, its choices and its default."""
    name = _label(one) if one.param_type_name == "argument" else ", ".join(one.opts)
    choices = [choice.value for choice in getattr(one.type_descriptor, "choices", None) or ()]
    choice = "" if all(each in one.help for each in choices) else f" ({', '.join(choices)})"
    usual = "" if one.default in (None, False, "") else f" (default {_text(one.default)})"
    return f"- `{name}`{choice}: {one.help}{usual}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))
