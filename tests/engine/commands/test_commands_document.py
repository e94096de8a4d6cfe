"""docs/commands.md has the help of every command, as the program gives it."""

import os
import subprocess
import sys
from pathlib import Path

from bench.commands_page import MANUAL, PATH, manual, page

from .command_line import CommandLine


def test_the_reference_is_what_the_commands_say() -> None:
    text = PATH.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew with: python -m bench commands"


def test_the_manual_page_is_what_the_commands_say() -> None:
    assert MANUAL.read_text(encoding="utf-8") == manual(), "write it anew with: python -m bench commands"


def test_the_shell_completes_commands() -> None:
    script = "from underdrawing.commands.main import app; app(prog_name='underdrawing')"
    asked = {"_UNDERDRAWING_COMPLETE": "complete_bash", "COMP_WORDS": "underdrawing mod", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, env={**os.environ, **asked}, text=True, timeout=120).split() == ["models"]


def test_a_quiet_command_only_tells_of_errors(tmp_path: Path) -> None:
    place = CommandLine(tmp_path, tmp_path / "home")
    listed = place.run("weights", "list", "--quiet")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "")
    assert "vgg16" in place.run("--quiet", "weights", "list", "--json").stdout
    wrong = place.run("pick", "none.png", "--at", "1,1", "-o", "mask.png", "--quiet")
    assert wrong.returncode == 1 and "none.png" in wrong.stderr
