"""docs/commands.md has the help of every command, as the program gives it."""

from bench.commands_page import PATH, page


def test_the_reference_is_what_the_commands_say() -> None:
    text = PATH.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew with: python -m bench commands"
