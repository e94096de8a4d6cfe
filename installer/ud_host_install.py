"""Installs the plug-in for one host: its profile, the plug-in, the host's own answer, and where to click first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ud_engine_register
import ud_flatpak
import ud_host_probe
import ud_profiles
import ud_service
from ud_env import Environment
from ud_host_programs import programs
from ud_hosts import HOSTS, settings_folder
from ud_pip import Pip
from ud_report import InstallError, Reporter
from ud_uninstall_record import Record, missing, tree


def folders_of(host: str, report: Reporter, home: Path, named: Path | None) -> tuple[list[Path], Record]:
    """The folders of plug-ins of a host, and what was made to have them: a host that never ran gets a first profile.

    Raises:
        InstallError: there is none and no program that could make one.
    """
    spec = HOSTS[host]
    found = spec.folders(home)
    if found:
        return found, Record()
    here = programs(host, named)
    if here and spec.first_folder:
        return [spec.first_folder(home)], Record()
    if here:
        made = missing([settings_folder(home) / spec.name], home)
        ud_host_probe.make_profile(here[0], report)
        found = spec.folders(home)
    if not found:
        name = f"{spec.title} is here as a Flatpak, and" if ud_flatpak.is_installed(host) else spec.title
        raise InstallError(
            f"{name} has made no folder for you yet, and no program of it was found that could be asked for one.",
            f"Start {spec.title} once and run this again, or name its folder of plug-ins with --to DIR, or its program "
            "with --program FILE.",
        )
    return found, Record(tuple(made), {str(folder.parent): tree(folder.parent) for folder in found})


def install(
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
        pip: fetches pyzmq for a host in a sandbox, which cannot start the bridge.

    Raises:
        InstallError: no profile of the host is there, or `named` is no program of it.
    """
    home, spec = home or Path.home(), HOSTS[host]
    if named is not None and not programs(host, named):
        raise InstallError(f"{named} does not run, or is not what is meant.", f"Give --program the {spec.console}.")
    folders, begun = ([to], Record()) if to is not None else folders_of(host, report, home, named)
    ud_profiles.put(host, report, to, home, folders, begun)
    well = True
    if to is None:
        for folder in folders:
            if pip is not None and ud_flatpak.is_flatpak(folder):
                ud_flatpak.give_zmq(host, folder, pip, report)
        answers = ud_host_probe.see(host, folders, report, home=home, engine_home=engine_home, named=named)
        well = ud_host_probe.say(answers, report)
    ud_host_probe.still_open(host, report)
    if well:
        report.say(f"Where to click first: open a picture, then {spec.first}.")
    return 0 if well else 1


def about_flatpaks(hosts: Sequence[str], environment: Environment, wanted: bool | None, report: Reporter) -> None:
    """Let the engine run as a service where a host with our plug-in is a Flatpak, and list what else that needs.

    wanted: what the person asked for about a service; False is respected.
    """
    user, home = Path.home(), environment.home()
    boxed = [host for host in hosts if any(map(ud_flatpak.is_flatpak, ud_profiles.with_plugin(host, user)))]
    if not boxed or home is None:
        return
    names = " and ".join(HOSTS[host].name for host in boxed)
    report.say(f"{names} runs in a Flatpak, and cannot start the engine from there.")
    if wanted is False:
        report.warn("Start it before, each time: underdrawing engine start")
    elif not ud_service.ours(environment.python, user):
        ud_engine_register.serve(environment, True, report)
    for host in boxed:
        for sentence in ud_flatpak.lacks(host, home, report):
            report.warn(sentence)
