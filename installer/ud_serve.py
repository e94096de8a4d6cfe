"""Serves one host: its profile, the plug-in, the host's own word that it sees it, and where to click first."""

from __future__ import annotations

from pathlib import Path

import ud_hosts
import ud_see
from ud_programs import programs, sandboxed
from ud_report import InstallError, Reporter

MENUS = {
    "gimp": "Filters > Underdrawing > Make Underdrawing…",
    "krita": "Settings > Dockers > Underdrawing, and there “Make”",
}


def folders_of(host: str, report: Reporter, home: Path, named: Path | None) -> list[Path]:
    """The folders of plug-ins of a host, after making a first profile where the host is here and never ran.

    Raises:
        InstallError: there is none and no program that could make one.
    """
    found = ud_hosts.plugin_folders(host, home)
    if found:
        return found
    here = programs(host, named)
    if here and host == "gimp":
        ud_see.make_profile(here[0], report)
    elif here:
        # Krita takes a folder as it finds it.
        return [ud_hosts.krita_data(home) / "pykrita"]
    found = ud_hosts.plugin_folders(host, home)
    if not found:
        name, box = ud_hosts.NAMES[host], sandboxed(host)
        what = f"{name} is installed as a {box} and" if box else f"{name}"
        raise InstallError(
            f"{what} has made no folder for you yet, and no program of it was found that could be asked for one.",
            f"Start {name} once and run this again, or name its folder of plug-ins with --to DIR, or its program "
            "with --program FILE.",
        )
    return found


def serve(
    host: str,
    report: Reporter,
    *,
    to: Path | None = None,
    named: Path | None = None,
    engine_home: Path | None = None,
    home: Path | None = None,
) -> int:
    """Put the plug-in where the host finds it, and ask the host; the exit code.

    Args:
        to: a folder of plug-ins, where it is not to be looked for; its host cannot be asked then.
        named: the host's program, where it is not to be looked for.
        engine_home: the engine's folder.
        home: the user's folder; as a rule the system's answer.

    Raises:
        InstallError: no profile of the host is there, or `named` is no program of it.
    """
    home = home or Path.home()
    if named is not None and not programs(host, named):
        kind = "gimp-console of GIMP 3" if host == "gimp" else "kritarunner, which lies beside Krita's program"
        raise InstallError(f"{named} does not run, or is not what is meant.", f"Give --program the {kind}.")
    folders = [to] if to is not None else folders_of(host, report, home, named)
    ud_hosts.put(host, report, to, home, folders)
    well = True
    if to is None:
        well = ud_see.say(ud_see.see(host, folders, report, home=home, engine_home=engine_home, named=named), report)
    ud_see.still_open(host, report)
    if well:
        report.say(f"Where to click first: open a picture, then {MENUS[host]}.")
    return 0 if well else 1
