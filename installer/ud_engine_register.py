"""Registers the engine for its clients: which Python runs it; and ends it before it is deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ud_service
from ud_env import Environment
from ud_hardware import ROOT
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
    """The registration in an engine's home; empty without one."""
    try:
        note = json.loads((home / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def register(environment: Environment) -> None:
    """Record in Underdrawing's data folder which Python runs the engine: clients start it with that."""
    home = environment.home()
    former = read(home).get("made") if home is not None else None
    made = former if isinstance(former, list) else missing([home], Path.home()) if home is not None else []
    why = environment.ask("-c", _WRITE, str(ROOT), json.dumps(made)).why
    if why:
        raise InstallError(
            f"The engine could not be registered: {why}.",
            "Is your data folder writable? Another can be named with UNDERDRAWING_HOME.",
        )


def registered(home: Path) -> bool:
    """Whether it is this copy's engine that the clients start."""
    return read(home).get("root") == str(ROOT)


def end_engine(environment: Environment) -> None:
    """End the engine that runs, if one does; trainings go on with the next one."""
    environment.ask("-c", _END)


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
