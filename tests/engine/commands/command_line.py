"""The command line in a folder of its own, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


class CommandLine:
    """`underdrawing` in a folder, with an engine's home of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `underdrawing` with these words in the folder."""
        env = {**os.environ, "UNDERDRAWING_HOME": str(self.home), "COLUMNS": "200", "NO_COLOR": "1"}
        command = [sys.executable, "-m", "underdrawing", *words]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def ask(self, *words: str) -> dict[str, Any]:
        """Run with --json; the answer."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
