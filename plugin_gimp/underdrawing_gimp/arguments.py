"""Arguments and return values of procedures as data, and how GIMP is given them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .gi import Gimp, Gio, GObject

BOTH = GObject.ParamFlags.READWRITE


@dataclass(frozen=True)
class Argument:
    """One argument, or one return value.

    Attributes:
        kind: "choice", "int", "double", "boolean", "string", "file", "image", "layer", "run-mode".
        name: with hyphens, as scripts write it.
        nick: as dialogs show it; an underscore stands before its key.
        blurb: a sentence.
        default: of its type; of "file" nothing.
        low, high: bounds of numbers.
        choices: (name, label) pairs.
    """

    kind: str
    name: str
    nick: str
    blurb: str
    default: Any = None
    low: float = 0
    high: float = 1e6
    choices: tuple[tuple[str, str], ...] = ()


def add_arguments(procedure: Gimp.Procedure, wanted: Sequence[Argument]) -> None:
    """Declare arguments."""
    for argument in wanted:
        head = (argument.name, argument.nick, argument.blurb)
        if argument.kind == "choice":
            choice = Gimp.Choice.new()
            for number, (name, label) in enumerate(argument.choices):
                choice.add(name, number, label, "")
            procedure.add_choice_argument(*head, choice, argument.default, BOTH)
        elif argument.kind == "int":
            procedure.add_int_argument(*head, int(argument.low), int(argument.high), argument.default, BOTH)
        elif argument.kind == "double":
            procedure.add_double_argument(*head, argument.low, argument.high, argument.default, BOTH)
        elif argument.kind == "boolean":
            procedure.add_boolean_argument(*head, argument.default, BOTH)
        elif argument.kind == "string":
            procedure.add_string_argument(*head, argument.default, BOTH)
        elif argument.kind == "file":
            action = getattr(Gimp.FileChooserAction, argument.default or "OPEN")
            procedure.add_file_argument(*head, action, True, None, BOTH)
        elif argument.kind == "image":
            procedure.add_image_argument(*head, True, BOTH)
        elif argument.kind == "layer":
            procedure.add_layer_argument(*head, True, BOTH)
        elif argument.kind == "run-mode":
            procedure.add_enum_argument(*head, Gimp.RunMode, Gimp.RunMode.INTERACTIVE, BOTH)


def add_returns(procedure: Gimp.Procedure, wanted: Sequence[Argument]) -> None:
    """Declare return values."""
    for value in wanted:
        head = (value.name, value.nick, value.blurb)
        if value.kind == "string":
            procedure.add_string_return_value(*head, "", BOTH)
        elif value.kind == "int":
            procedure.add_int_return_value(*head, 0, 2**31 - 1, 0, BOTH)
        elif value.kind == "boolean":
            procedure.add_boolean_return_value(*head, False, BOTH)
        elif value.kind == "layer":
            procedure.add_layer_return_value(*head, True, BOTH)
        elif value.kind == "image":
            procedure.add_image_return_value(*head, True, BOTH)


def value_of(config: Gimp.ProcedureConfig, argument: Argument) -> Any:
    """An argument's value in Python's own types; a file is its path, or None."""
    if argument.kind == "choice":
        return config.get_property(argument.name)
    value = config.get_property(argument.name)
    if isinstance(value, Gio.File):
        return value.get_path()
    return value
