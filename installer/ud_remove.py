"""`python3 installer remove`: what the installer made, and nothing else; models only when asked for by name."""

from __future__ import annotations

import argparse
import contextlib
import shutil
from pathlib import Path

import ud_engine_register
import ud_host_probe
import ud_profiles
import ud_service
import ud_update
import ud_wizard
from ud_env import Environment
from ud_hardware import ROOT, folder_megabytes
from ud_hosts import HOSTS
from ud_report import InstallError, Reporter
from ud_uninstall_record import Record, forget


def remove(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """The verb `remove`; 1 where the answer was no.

    Raises:
        InstallError: there is nothing but an environment that the installer did not make.
        OSError: something cannot be deleted.
    """
    user, home = Path.home(), environment.home()
    cache = ROOT / ".cache"
    gone = [place for place in (environment.folder, *ud_update.places(environment), cache) if place.exists()]
    foreign = environment.folder.exists() and not environment.ours()
    if foreign:
        gone.remove(environment.folder)
    plugins = [(host, folder) for host in HOSTS for folder in ud_profiles.with_plugin(host, user)]
    service = ud_service.ours(environment.python, user)
    models = options.models and home is not None and home.exists()
    if models and home is not None:
        gone.append(home)
    # A log alone is nothing that anybody installed.
    if not plugins and not service and not [place for place in gone if place != cache]:
        if foreign:
            raise InstallError(
                f"{environment.folder} was not made by the installer, so it stays.", "Delete it by hand."
            )
        report.say("Nothing is installed here.")
        return 0
    if foreign:
        report.say(f"To be kept: {environment.folder}, which the installer did not make.")
    for folder in gone:
        report.say(f"To be deleted: {folder} ({folder_megabytes(folder)} MB)")
    for host, folder in plugins:
        report.say(f"To be deleted: the plug-in for {HOSTS[host].title} in {folder}")
    if service:
        report.say(f"To be deleted: the service {ud_service.place(user)}")
    if home is not None and home.exists() and not models:
        report.say(f"To be kept: {home} with your models ({folder_megabytes(home)} MB); --models deletes it, too.")
    if not options.yes and not ud_wizard.agreed("Delete?", report):
        report.say("Nothing was deleted.")
        return 1
    # The engine's folders go with the engine; what was made for them is written down in there.
    made = ud_engine_register.read(home).get("made") if home is not None else None
    if service:
        ud_service.switch_off(user, report)
    if home is not None:
        ud_engine_register.unregister(environment, home)
    for host, _ in plugins:
        for place in ud_profiles.take_away(host):
            report.say(f"Deleted: {place}")
        ud_host_probe.still_open(host, report, "then the plug-in is gone")
    report.close_log()
    for folder in gone:
        shutil.rmtree(folder)
    if models and isinstance(made, list):
        with contextlib.suppress(OSError):
            forget(Record(tuple(str(name) for name in made)))
    print("Done.")
    return 0
