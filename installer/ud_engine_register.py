"""Registers the engine for its clients: which Python runs it; and ends it before it is deleted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import ud_service
from ud_env import Environment
from ud_hardware import ROOT, clean_environment
from ud_report import InstallError, Reporter
from ud_uninstall_record import missing

NOTE = "install.json"
_WRITE = """
import json, sys
from underdrawing import __version__
from underdrawing.client.endpoint import home, make_home, write_private
note = {"python": sys.executable, "version": __version__, "root": sys.argv[1], "made": json.loads(sys.argv[2])}
write_private(make_home(home()) / "install.json", json.dumps(note, indent=1))
"""
_END = """
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
try:
    with Engine.connect(start=False) as engine:
        engine.shutdown()
        engine.wait_for_end()
except EngineError:
    pass
"""


def read(home: Path) -> dict[str, Any]:
    """What is written down in an engine's home; empty without it."""
    try:
        note = json.loads((home / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def register(environment: Environment) -> None:
    """Write down in Underdrawing's data folder which Python runs the engine: clients start it with that."""
    home = environment.home()
    former = read(home).get("made") if home is not None else None
    made = former if isinstance(former, list) else missing([home], Path.home()) if home is not None else []
    done = _run(environment, _WRITE, str(ROOT), json.dumps(made))
    environment.report.log(done.stderr)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise InstallError(
            f"The engine's place could not be written down: {why}.",
            "Is your data folder writable? Another can be named with UNDERDRAWING_HOME.",
        )


def registered(home: Path) -> bool:
    """Whether it is this copy's engine that the clients start."""
    return read(home).get("root") == str(ROOT)


def end_engine(environment: Environment) -> None:
    """End the engine that runs, if one does; trainings go on with the next one."""
    _run(environment, _END)


def unregister(environment: Environment, home: Path) -> None:
    """End the engine that this copy's environment runs, and forget where it is, before it is deleted."""
    if registered(home):
        end_engine(environment)
        (home / NOTE).unlink()


def serve(environment: Environment, wanted: bool | None, report: Reporter, afresh: bool = False) -> None:
    """Let the engine run as a service where that is wanted, or was before.

    Args:
        wanted: True and False change it; None leaves it.
        afresh: another engine is in the environment: the service is started again.

    Raises:
        InstallError: there can be no service here.
    """
    user, home = Path.home(), environment.home()
    there = ud_service.ours(environment.python, user)
    if wanted is False:
        for place in ud_service.switch_off(user, report) if there else []:
            report.say(f"Deleted: {place}   (the engine is started when it is needed)")
    elif home is not None and (wanted or (there and afresh)):
        end_engine(environment)
        ud_service.switch_on(ud_service.engine(environment.python, home), user, report)


def _run(environment: Environment, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run something with the environment's Python; a process that cannot be started counts as failed."""
    command = [str(environment.python), "-c", script, *words]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=clean_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
