"""`python3 installer doctor`: this machine, the environment, GIMP and Krita; then `underdrawing doctor` for the engine.

`underdrawing doctor` itself takes the lines about GIMP and Krita from here (`host_lines`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import ud_flatpak
import ud_krita_settings
import ud_profiles
import ud_service
from ud_env import Environment
from ud_hardware import choose, free_megabytes, gpu
from ud_host_programs import programs, running
from ud_hosts import HOSTS
from ud_plugins import digest, installed, version
from ud_redact import report_text
from ud_report import InstallError, Reporter

LEAST_FREE = 1000  # megabytes
GOOD, NOTE, BAD = "good", "note", "bad"
SIGNS = {GOOD: ("✓", 32), NOTE: ("·", 0), BAD: ("✗", 31)}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at: `good`, `note` or `bad`; a sentence; and what to do."""

    verdict: str
    text: str
    remedy: str = ""


def examine(environment: Environment) -> list[Line]:
    """Look at everything. Never raises for what it finds."""
    card = gpu()
    choice = choose(card)
    lines = [Line(NOTE, choice.why)]
    free = free_megabytes(environment.folder)
    enough = free >= LEAST_FREE
    text = f"{free} MB are free on the disk of {environment.folder.parent}."
    lines.append(Line(GOOD, text) if enough else Line(BAD, text, "Free some space: models and results are kept."))
    lines += service_lines(environment.python)
    if not environment.folder.exists():
        text = "Underdrawing is not installed here."
        return [*lines, *host_lines(), Line(BAD, text, "Run: python3 installer engine")]
    state = environment.state()
    if not environment.ours():
        lines.append(Line(NOTE, f"{environment.folder} was not made by the installer."))
    elif state.get("running"):
        remedy = "Run: python3 installer engine   (it goes on where it stopped)"
        lines.append(Line(BAD, f"The installation stopped at the step '{state['running']}'.", remedy))
    if choice.kind == "cuda" and state.get("kind") == "cpu":
        text = "There is a graphics card, but the environment is the one for the CPU."
        lines.append(Line(NOTE, text, "python3 installer engine --cuda"))
    return lines + _engine_lines(environment)


def _engine_lines(environment: Environment) -> list[Line]:
    """The lines of the engine's own doctor; where it cannot run, why, and those about the hosts."""
    done = environment.ask("-P", "-m", "underdrawing", "doctor", "--json")
    try:
        return [Line(**line) for line in json.loads(done.output.splitlines()[-1])["lines"]]
    except (ValueError, IndexError, KeyError, TypeError):
        text = f"The engine cannot be loaded: {done.why or done.output}"
        return [*host_lines(), Line(BAD, text, "Run: python3 installer engine")]


def host_lines() -> list[Line]:
    """GIMP and Krita: which are here, and the state of their plug-ins."""
    lines, home = [], Path.home()
    for host, spec in HOSTS.items():
        for program in programs(host):
            lines.append(Line(GOOD, f"{spec.name} {program.version} is here ({program.path})."))
        if ud_flatpak.is_installed(host):
            text = f"{spec.title} is here as a Flatpak."
            lines.append(Line(NOTE, text, "docs/installation.md describes what that means."))
        folders = ud_profiles.with_plugin(host, home)
        if not folders:
            lines.append(Line(NOTE, f"No {spec.title} has the plug-in.", f"Run: python3 installer {host}"))
        lines += [_plugin_line(host, folder, home) for folder in folders]
        if folders and running(host):
            lines.append(Line(NOTE, f"{spec.name} is open; it loads a new plug-in when it starts."))
    return lines


def service_lines(python: Path) -> list[Line]:
    """Whether the engine of this Python runs as a service, and whether a sandbox needs that."""
    home = Path.home()
    if ud_service.ours(python, home):
        return [Line(GOOD, f"The engine runs as a service of yours ({ud_service.place(home)}).")]
    text = "is a Flatpak and cannot start the engine, which is no service here."
    boxed = [host for host in HOSTS if any(map(ud_flatpak.is_flatpak, ud_profiles.with_plugin(host, home)))]
    return [Line(NOTE, f"{HOSTS[host].title} {text}", f"Run: python3 installer {host} --service") for host in boxed]


def _plugin_line(host: str, folder: Path, home: Path) -> Line:
    """The state of one plug-in."""
    spec, note = HOSTS[host], installed(host, folder)
    again, plugin = f"Run: python3 installer {host}", f"The plug-in for {spec.title} in {folder}"
    if note is None:
        return Line(BAD, f"{plugin} is not complete.", again)
    if note.get("digest") != digest(host):
        here, there = version(), note.get("version") or "unknown"
        what = f"is version {there}, this copy is {here}" if there != here else "differs from this copy's"
        return Line(BAD, f"{plugin} {what}.", "Run: python3 installer update")
    if spec.settings and not ud_krita_settings.is_on(spec.settings(folder, home)):
        return Line(BAD, f"{plugin} is switched off in {spec.settings(folder, home)}.", again)
    programs_of_it = [folder / spec.folder / name for name in spec.files if name.endswith(".py")]
    if os.name == "posix" and any(not os.access(program, os.X_OK) for program in programs_of_it):
        return Line(BAD, f"{spec.name} cannot start the plug-in: {programs_of_it[0]} is not executable.", again)
    return Line(GOOD, f"{plugin} is this copy's ({note['version']}).")


def as_json(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Lines as `underdrawing doctor --json` has them."""
    return [asdict(line) for line in lines]


def doctor(environment: Environment, report: Reporter, file: Path | None = None) -> int:
    """Print the page; 1 when a line is bad.

    file: where a copy goes that can be shown to others.
    """
    lines = examine(environment)
    page = [f"Underdrawing {version()} on {sys.platform}, environment {environment.folder}"]
    report.say(page[0])
    for line in lines:
        sign, colour = SIGNS[line.verdict]
        page += [f"  {sign} {line.text}", *([f"      {line.remedy}"] if line.remedy else [])]
        report.paint(f"  {sign} {line.text}", colour)
        if line.remedy:
            report.say(f"      {line.remedy}")
    if file is not None:
        try:
            file.write_text(report_text(page, environment.home()), encoding="utf-8")
        except OSError as error:
            raise InstallError(
                f"The report {file} cannot be written: {error.strerror}.", "Name another place."
            ) from None
        report.say(f"Written: {file}   (without your names, folders and keys; look through it before you send it)")
    return 1 if any(line.verdict == BAD for line in lines) else 0
