"""Serves one host: its profile, the plug-in, the host's own word that it sees it, and where to click first."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import ud_engine_register
import ud_host_probe
import ud_hosts
import ud_service
import ud_wheel
from ud_env import Environment
from ud_host_programs import appimages, programs
from ud_pip import Pip
from ud_report import InstallError, Reporter
from ud_sandbox import ask as ask_sandbox
from ud_sandbox import boxed, lacks, sandboxed
from ud_uninstall_record import Traces, missing, tree

MENUS = {
    "gimp": "Filters > Underdrawing > Make Underdrawing…",
    "krita": "Settings > Dockers > Underdrawing, and there “Make”",
}


def folders_of(host: str, report: Reporter, home: Path, named: Path | None) -> tuple[list[Path], Traces]:
    """The folders of plug-ins of a host, after making a first profile where the host is here and never ran.

    With them comes what was made for that.

    Raises:
        InstallError: there is none and no program that could make one.
    """
    found, begun = ud_hosts.plugin_folders(host, home), Traces()
    if found:
        return found, begun
    here = programs(host, named)
    if here and host == "gimp":
        made = missing(ud_hosts.gimp_profiles(home), home)
        ud_host_probe.make_profile(here[0], report)
        found = ud_hosts.plugin_folders(host, home)
        begun = Traces(tuple(made), {str(folder.parent): tree(folder.parent) for folder in found})
    elif here or appimages(host, home):
        # Krita takes a folder as it finds it.
        return [ud_hosts.krita_data(home) / "pykrita"], begun
    if not found:
        name, box = ud_hosts.NAMES[host], sandboxed(host)
        what = f"{name} is installed as a {box} and" if box else f"{name}"
        raise InstallError(
            f"{what} has made no folder for you yet, and no program of it was found that could be asked for one.",
            f"Start {name} once and run this again, or name its folder of plug-ins with --to DIR, or its program "
            "with --program FILE.",
        )
    return found, begun


def serve(
    host: str,
    report: Reporter,
    *,
    to: Path | None = None,
    named: Path | None = None,
    engine_home: Path | None = None,
    home: Path | None = None,
    pip: Pip | None = None,
) -> int:
    """Put the plug-in where the host finds it, and ask the host; the exit code.

    Args:
        to: a folder of plug-ins, where it is not to be looked for; its host cannot be asked then.
        named: the host's program, where it is not to be looked for.
        engine_home: the engine's folder.
        home: the user's folder; as a rule the system's answer.
        pip: fetches pyzmq for a host whose Python has none; without it such a host takes the bridge.

    Raises:
        InstallError: no profile of the host is there, or `named` is no program of it.
    """
    home = home or Path.home()
    if named is not None and not programs(host, named):
        kind = "gimp-console of GIMP 3" if host == "gimp" else "kritarunner, which lies beside Krita's program"
        raise InstallError(f"{named} does not run, or is not what is meant.", f"Give --program the {kind}.")
    folders, begun = ([to], Traces()) if to is not None else folders_of(host, report, home, named)
    ud_hosts.put(host, report, to, home, folders, begun)
    well = True
    if to is None:
        asking = functools.partial(
            ud_host_probe.see, host, report=report, home=home, engine_home=engine_home, named=named
        )
        answers = asking(folders)
        if pip is not None:
            given = [
                number for number, folder in enumerate(folders) if _own_zmq(host, folder, answers[number], pip, report)
            ]
            for number, answer in zip(given, asking([folders[number] for number in given])):
                answers[number] = answer
        well = ud_host_probe.say(answers, report)
    ud_host_probe.still_open(host, report)
    if well:
        report.say(f"Where to click first: open a picture, then {MENUS[host]}.")
    return 0 if well else 1


def _own_zmq(host: str, folder: Path, answer: ud_host_probe.Answer, pip: Pip, report: Reporter) -> bool:
    """Give a plug-in a pyzmq of its own where the host's Python lacks one; whether it is to be asked again."""
    box = boxed(folder)
    told = ask_sandbox(host, box, report) if box else answer.python if answer.bridged else {}
    if box and not told:
        report.warn(f"The {box}'s Python could not be asked what it is, so it gets no pyzmq of its own.")
    return bool(told) and not told.get("zmq") and ud_wheel.give(host, folder, told, pip, report)


def about_sandboxes(hosts: Sequence[str], environment: Environment, wanted: bool | None, report: Reporter) -> None:
    """Let the engine run as a service where a host with our plug-in is in a sandbox, and say what else that needs.

    Args:
        wanted: what the person said about a service; False is taken at its word.
    """
    user = Path.home()
    home, boxes = environment.home(), {}
    for host in hosts:
        for folder in ud_hosts.with_plugin(host, user):
            if boxed(folder):
                boxes[host] = boxed(folder)
    if not boxes or home is None:
        return
    names = " and ".join(f"{ud_hosts.NAMES[host].split()[0]} ({box})" for host, box in boxes.items())
    report.say(f"{names} runs in a sandbox, and cannot start the engine from there.")
    if wanted is False:
        report.warn("Start it before, each time: underdrawing engine start")
    elif not ud_service.ours(environment.python, user):
        ud_engine_register.serve(environment, True, report)
    for host, box in boxes.items():
        for sentence in lacks(host, box, home, report):
            report.warn(sentence)
