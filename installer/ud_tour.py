"""The first picture: bundled, learnt already, so that the first edit waits for nothing (`underdrawing tour`)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ud_wizard
from ud_env import Environment
from ud_hardware import clean_environment
from ud_report import Reporter

PATIENCE = 300  # seconds: an engine on a machine that is busy, and the draft
NOTE = "tour.json"


def picture(home: Path | None) -> Path | None:
    """The first picture of an engine's home; None where there is none."""
    try:
        told = json.loads((home / NOTE).read_text(encoding="utf-8")) if home is not None else {}
        return Path(told["picture"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def offer(environment: Environment, hosts: Sequence[str], report: Reporter, yes: bool) -> None:
    """Ask, put the first picture in its place, and say where to click in the hosts that are here.

    Args:
        hosts: `gimp`, `krita`, or both.
        yes: nobody is asked.
    """
    if not hosts:
        return
    question = "A first picture to try it on, learnt already (1 MB among your pictures)?"
    if not yes and not ud_wizard.agreed(question, report, default=True):
        report.say("Later: underdrawing tour")
        return
    report.step("Putting a first picture in its place")
    told, why = _ask(environment, ["tour", "--json"], report)
    if told is None:
        report.warn(f"The first picture could not be made ({why}). Again: underdrawing tour")
        return
    steps = told.get("steps") or {}
    for host in hosts:
        report.say(f"Where to click first in {'GIMP' if host == 'gimp' else 'Krita'}:")
        for number, step in enumerate(steps.get(host, []), 1):
            report.say(f"  {number}. {step}")


def end(environment: Environment, report: Reporter) -> None:
    """Take the first picture and its model away."""
    told, why = _ask(environment, ["tour", "--end", "--json"], report)
    if told is None:
        report.warn(f"The first picture stays: {why}")


def _ask(environment: Environment, words: Sequence[str], report: Reporter) -> tuple[dict[str, Any] | None, str]:
    """What a command answers in JSON, or None and why not."""
    command = [str(environment.python), "-m", "underdrawing", *words]
    report.log("$ " + " ".join(command))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=clean_environment()
        )
        report.log(done.stdout + done.stderr)
        told = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None, "it did not answer"
    if not isinstance(told, dict) or done.returncode != 0:
        error = told.get("error") if isinstance(told, dict) else None
        return None, str((error or {}).get("message") or "it failed").rstrip(".")
    return told, ""
