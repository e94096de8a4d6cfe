"""docs/commands.md names every command and every option there is."""

from pathlib import Path
from typing import Any

import typer

from underdrawing.commands.main import app

TEXT = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    found = []
    for name, inner in getattr(command, "commands", {}).items():
        found += commands(inner, (*path, name))
    return found or [(" ".join(path), command)]


def test_every_command_and_option_is_documented() -> None:
    for name, command in commands(typer.main.get_command(app)):
        assert f"### {name}\n" in TEXT, name
        part = TEXT.split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
        for option in command.params:
            if option.param_type_name == "option" and option.name not in ("json", "help"):
                assert option.opts[0] in part, f"{name} {option.opts[0]}"


def test_nothing_is_documented_that_does_not_exist() -> None:
    known = sorted(name for name, _ in commands(typer.main.get_command(app)))
    assert sorted(line.removeprefix("### ") for line in TEXT.splitlines() if line.startswith("### ")) == known
