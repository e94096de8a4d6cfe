"""Asks GIMP and Krita, without windows, whether they see the plug-in, and whether it reaches the engine from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from ud_host_programs import Program, programs, running
from ud_hosts import NAMES, is_on, kritarc
from ud_plugins import HOSTS
from ud_report import Reporter
from ud_sandbox import boxed
from ud_wheel import ASK

PATIENCE = 240  # seconds: a first start asks every plug-in and fills caches


class Sight(Enum):
    """Whether a host sees the plug-in."""

    SEEN = "✓"
    UNSEEN = "✗"
    UNASKED = "!"


@dataclass(frozen=True)
class Answer:
    """What a host said.

    Attributes:
        sight: whether it sees the plug-in and the plug-in reaches the engine.
        text, remedy: a sentence, and what to do about it.
    bridged: the plug-in takes the bridge, as the host's Python has no pyzmq.
    python: what that Python says of itself, see `ud_wheel.ASK`.
    """

    sight: Sight
    text: str
    remedy: str = ""
    bridged: bool = False
    python: Mapping[str, Any] = field(default_factory=dict)


# Runs in the host's own Python, with the host's own copy of `link`: one question to the engine, and the answer.
_ROUND = (
    ASK
    + """
def engine(package):
    import importlib
    told = {"python": python()}
    try:
        Engine = importlib.import_module(package + ".client.engine").Engine
        with Engine.connect(timeout=60) as engine:
            told["engine"], told["bridged"] = engine.hello()["version"], bool(engine.bridged)
        if not told["bridged"]:
            import zmq
            told["zmq"], told["own"] = zmq.__version__, package in zmq.__file__
    except Exception as error:
        told["wrong"] = "%s %s" % (getattr(error, "message", error), getattr(error, "hint", ""))
    return told
"""
)
_GIMP = """
import json, sys
from gi.repository import Gimp
told = {"seen": Gimp.get_pdb().lookup_procedure("underdrawing-engine") is not None}
if told["seen"]:
    sys.path.insert(0, %(folder)r)
    told.update(engine(%(package)r))
with open(%(answer)r, "w", encoding="utf-8") as file:
    json.dump(told, file)
"""
_KRITA = """
def look(*_):
    import json, os, sys
    told = {}
    try:
        import importlib
        importlib.import_module("underdrawing_krita.docker")
        told["seen"] = True
        told.update(engine("underdrawing_krita"))
    except BaseException as error:
        told["why"] = "%s: %s" % (type(error).__name__, error)
    with open(os.environ["UD_LOOK_ANSWER"], "w", encoding="utf-8") as file:
        json.dump(told, file)
"""


def _ask(command: Sequence[str], variables: dict[str, str], answer: Path, report: Reporter) -> dict[str, Any] | None:
    """Run a host until it has ended; what it wrote down, or None where it wrote nothing."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    report.log("$ " + " ".join(command))
    try:
        done = subprocess.run(
            command,
            env={**environment, **variables},
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


def _gimp_command(program: Program, code: str) -> list[str]:
    quiet = [program.path, "-i", "-d", "-f", "--batch-interpreter", "python-fu-eval"]
    return [*quiet, "-b", f"exec({code!r})", "--quit"]


def make_profile(program: Program, report: Reporter) -> None:
    """Let a GIMP that never ran make its profile, as its first start does."""
    report.step(f"GIMP {program.version} never ran for you: letting it make its folder")
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        _ask(_gimp_command(program, "0"), _elsewhere(Path(folder)), Path(folder) / "none", report)


def _elsewhere(place: Path) -> dict[str, str]:
    """Variables that let a host keep caches and data in a folder that goes away, and nothing in the user's."""
    return {"XDG_CACHE_HOME": str(place / "cache"), "XDG_DATA_HOME": str(place / "data")}


def _gimp(program: Program, plugins: Path, engine_home: Path | None, report: Reporter) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        answer, profile = Path(place) / "answer.json", Path(place) / "profile"
        layout = HOSTS["gimp"]
        given = {"folder": str(plugins / layout.folder), "package": layout.package, "answer": str(answer)}
        # A profile that goes away, with the person's own settings and plug-ins: GIMP writes into each that it opens.
        profile.mkdir()
        if (plugins.parent / "gimprc").is_file():
            shutil.copyfile(plugins.parent / "gimprc", profile / "gimprc")
        try:
            (profile / "plug-ins").symlink_to(plugins)
        except OSError:  # Windows lets not everybody make links
            profile = plugins.parent
        variables = {"GIMP3_DIRECTORY": str(profile)}
        if engine_home is not None:
            variables |= {**_elsewhere(Path(place)), "UNDERDRAWING_HOME": str(engine_home)}
        return _ask(_gimp_command(program, _ROUND + _GIMP % given), variables, answer, report)


def _krita(program: Program, plugins: Path, engine_home: Path | None, report: Reporter) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        answer, scripts = Path(place) / "answer.json", Path(place) / "scripts"
        scripts.mkdir()
        (scripts / "underdrawing_look.py").write_text(_ROUND + _KRITA, encoding="utf-8")
        run = Path(place) / "run"
        run.mkdir(mode=0o700)
        # The runner fills a data folder of its own with Krita's brushes (90 MB): in a folder that goes away.
        variables = {
            **_elsewhere(Path(place)),
            "XDG_CONFIG_HOME": str(Path(place) / "config"),
            "XDG_RUNTIME_DIR": str(run),
            # Krita takes the first Python in the path for its own: the system's, not one of pyenv in a terminal.
            "PATH": os.pathsep.join([str(Path(program.path).parent), "/usr/bin", os.environ.get("PATH", "")]),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": os.pathsep.join([str(scripts), str(plugins)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "UD_LOOK_ANSWER": str(answer),
        }
        if engine_home is not None:
            variables["UNDERDRAWING_HOME"] = str(engine_home)
        return _ask([program.path, "-s", "underdrawing_look", "-f", "look"], variables, answer, report)


def _fitting(host: str, plugins: Path, found: Sequence[Program]) -> Program | None:
    """The program that a folder of plug-ins belongs to; None for a sandbox's, and where it is not here."""
    if boxed(plugins):
        return None
    if host == "krita":
        return found[0] if found else None
    by_series = {program.series: program for program in found}
    name = plugins.parent.name
    return by_series.get(name) if name.startswith("3.") else next(iter(found), None)


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
        folders: as `ud_hosts.plugin_folders` finds them.
        home: the user's.
        engine_home: the engine's folder.
        named: the host's program, where it is not to be looked for.
    """
    found = programs(host, named)
    return [_see(host, folder, found, report, home, engine_home) for folder in folders]


def _see(
    host: str, plugins: Path, found: Sequence[Program], report: Reporter, home: Path, engine_home: Path | None
) -> Answer:
    name = NAMES[host].split()[0]
    program = _fitting(host, plugins, found)
    if program is None:
        menu = "Filters > Underdrawing" if host == "gimp" else "Settings > Dockers > Underdrawing"
        if boxed(plugins):
            text = (
                f"{name} in its {boxed(plugins)} cannot be asked from outside whether it sees the plug-in in {plugins}."
            )
            return Answer(Sight.UNASKED, text, f"Start it and look at {menu}.")
        asked = "gimp-console" if host == "gimp" else "kritarunner"
        return Answer(
            Sight.UNASKED,
            f"No {asked} was found that could be asked whether {name} sees the plug-in in {plugins}.",
            f"Start {name} and look at {menu}. A program that was not found can be named with --program FILE.",
        )
    report.step(f"Asking {name} {program.version} whether it sees the plug-in")
    if host == "gimp":
        told = _gimp(program, plugins, engine_home, report)
    else:
        if not is_on(plugins, home):
            return Answer(
                Sight.UNSEEN,
                f"The plug-in is switched off in {kritarc(plugins, home)}.",
                "Run: python3 installer krita   or switch it on in Krita's settings, Python Plugin Manager.",
            )
        told = _krita(program, plugins, engine_home, report)
    return judge(f"{name} {program.version}", told, report.log_path)


def judge(host: str, told: dict[str, Any] | None, log_path: Path | None) -> Answer:
    """Turn what a host wrote down into a sentence. host: its name and version."""
    log = f"What it said is in {log_path}." if log_path is not None else ""
    if told is None:
        return Answer(Sight.UNASKED, f"{host} did not answer when it was asked about the plug-in.", log)
    if not told.get("seen"):
        why = f": {told['why']}" if told.get("why") else ""
        return Answer(Sight.UNSEEN, f"{host} does not see the plug-in{why}.", f"Run the same command again. {log}")
    if told.get("wrong"):
        return Answer(
            Sight.UNSEEN,
            f"{host} sees the plug-in, but the plug-in does not reach the engine: {str(told['wrong']).strip()}",
            "Run: python3 installer doctor",
        )
    bridged = bool(told.get("bridged"))
    way = "the bridge" if bridged else f"ZeroMQ (pyzmq {told.get('zmq')}{', its own' if told.get('own') else ''})"
    text = f"{host} sees the plug-in, and the plug-in reaches the engine {told['engine']} over {way}."
    return Answer(Sight.SEEN, text, "", bridged, told.get("python") or {})


def say(answers: Sequence[Answer], report: Reporter) -> bool:
    """Tell the person; whether no host said no."""
    for answer in answers:
        colour = {Sight.SEEN: 32, Sight.UNSEEN: 31, Sight.UNASKED: 33}[answer.sight]
        report.paint(f"{answer.sight.value} {answer.text}", colour)
        if answer.remedy:
            report.say(f"  {answer.remedy}")
    return all(answer.sight is not Sight.UNSEEN for answer in answers)


def still_open(host: str, report: Reporter, then: str = "then the plug-in is there") -> bool:
    """Say it where the host runs at the moment: it reads its plug-ins when it starts. then: what a new start brings."""
    numbers = running(host)
    if numbers:
        name = NAMES[host].split()[0]
        report.warn(f"{name} is open (process {numbers[0]}): close it and start it again, {then}.")
    return bool(numbers)
