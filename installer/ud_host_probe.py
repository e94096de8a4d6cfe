"""Asks GIMP and Krita, without windows, whether they see the plug-in, and whether it reaches the engine from there."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import ud_krita_settings
from ud_flatpak import is_flatpak
from ud_host_programs import Program, programs, running
from ud_hosts import HOSTS, Host, Question, gimp_batch, scratch
from ud_report import Reporter

PATIENCE = 240  # seconds: a first start asks every plug-in and fills caches


class Sight(Enum):
    """Whether a host sees the plug-in."""

    SEEN = "✓"
    UNSEEN = "✗"
    UNASKED = "!"


@dataclass(frozen=True)
class Answer:
    """Whether a host sees the plug-in and the plug-in reaches the engine: a sentence, and what to do about it."""

    sight: Sight
    text: str
    remedy: str = ""


def _ask(question: Question, answer: Path, report: Reporter) -> dict[str, Any] | None:
    """Run a host until it has ended; what it wrote down, or None where it wrote nothing."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    report.log("$ " + " ".join(question.command))
    try:
        done = subprocess.run(
            question.command,
            env={**environment, **question.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        report.log(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        report.log(str(error))
        return None
    try:
        found = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def make_profile(program: Program, report: Reporter) -> None:
    """Let a GIMP that never ran make its profile, as its first start does."""
    report.step(f"GIMP {program.version} never ran for you: it makes its folder now")
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        _ask(Question(gimp_batch(program.path, "0"), scratch(Path(folder))), Path(folder) / "none", report)


def _fitting(plugins: Path, found: Sequence[Program]) -> Program | None:
    """The program that a folder of plug-ins belongs to; None for a sandbox's, and where it is not here."""
    if is_flatpak(plugins):
        return None
    name = plugins.parent.name
    if name.startswith("3."):  # a profile of GIMP: one for each series
        return {program.series: program for program in found}.get(name)
    return next(iter(found), None)


def see(
    host: str,
    folders: Sequence[Path],
    report: Reporter,
    *,
    home: Path,
    engine_home: Path | None = None,
    named: Path | None = None,
) -> list[Answer]:
    """Ask the host of every folder of plug-ins.

    Args:
        folders: as `Host.folders` finds them.
        home: the user's.
        engine_home: the engine's folder.
        named: the host's program, where it is not to be looked for.
    """
    found = programs(host, named)
    return [_see(HOSTS[host], folder, found, report, home, engine_home) for folder in folders]


def _see(
    host: Host, plugins: Path, found: Sequence[Program], report: Reporter, home: Path, engine_home: Path | None
) -> Answer:
    program = _fitting(plugins, found)
    if program is None:
        look = f"Start {host.name} and look for {host.menu}."
        if is_flatpak(plugins):
            text = f"{host.name} in its Flatpak cannot be asked from outside whether it sees the plug-in in {plugins}."
            return Answer(Sight.UNASKED, text, look)
        text = f"No {host.console} was found, so {host.name} could not be asked whether it sees the plug-in."
        return Answer(Sight.UNASKED, text, f"{look} Name its program with --program FILE to have it asked.")
    if host.settings and not ud_krita_settings.is_on(host.settings(plugins, home)):
        return Answer(
            Sight.UNSEEN,
            f"The plug-in is switched off in {host.settings(plugins, home)}.",
            f"Run: python3 installer {host.key}   or switch it on in {host.name}'s settings.",
        )
    report.step(f"Asking {host.name} {program.version} whether it sees the plug-in")
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        answer = Path(place) / "answer.json"
        question = host.look(program.path, plugins, Path(place), answer)
        if engine_home is not None:
            question.variables["UNDERDRAWING_HOME"] = str(engine_home)
        reply = _ask(question, answer, report)
    return judge(f"{host.name} {program.version}", reply, report.log_path)


def judge(host: str, reply: dict[str, Any] | None, log_path: Path | None) -> Answer:
    """Turn what a host wrote down into a sentence. host: its name and version."""
    log = f"Its output is in {log_path}." if log_path is not None else ""
    if reply is None:
        return Answer(Sight.UNASKED, f"{host} did not answer when it was asked about the plug-in.", log)
    if not reply.get("seen"):
        why = f": {reply['why']}" if reply.get("why") else ""
        return Answer(Sight.UNSEEN, f"{host} does not see the plug-in{why}.", f"Run the same command again. {log}")
    if reply.get("error"):
        return Answer(
            Sight.UNSEEN,
            f"{host} sees the plug-in, but the plug-in does not reach the engine: {str(reply['error']).strip()}",
            "Run: python3 installer doctor",
        )
    way = "the bridge" if reply.get("bridged") else "ZeroMQ"
    return Answer(Sight.SEEN, f"{host} sees the plug-in, and the plug-in reaches engine {reply['engine']} over {way}.")


def say(answers: Sequence[Answer], report: Reporter) -> bool:
    """Print the answers; whether no host said no."""
    for answer in answers:
        colour = {Sight.SEEN: 32, Sight.UNSEEN: 31, Sight.UNASKED: 33}[answer.sight]
        report.paint(f"{answer.sight.value} {answer.text}", colour)
        if answer.remedy:
            report.say(f"  {answer.remedy}")
    return all(answer.sight is not Sight.UNSEEN for answer in answers)


def still_open(host: str, report: Reporter, then: str = "then the plug-in is there") -> bool:
    """Warn where the host runs at the moment: it reads its plug-ins when it starts. then: what a new start brings."""
    numbers = running(host)
    if numbers:
        report.warn(f"{HOSTS[host].name} is open (process {numbers[0]}): close it and start it again, {then}.")
    return bool(numbers)
