"""`python3 installer` alone: what is here, what would be done, a question, and then all of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import ud_flatpak
from ud_env import Environment
from ud_hardware import choose, free_megabytes, gpu, sources
from ud_host_programs import programs
from ud_hosts import HOSTS
from ud_report import Reporter


@dataclass(frozen=True)
class Plan:
    """What is here, line by line; what will be done; and for which hosts."""

    found: list[str]
    steps: list[str]
    hosts: list[str]


def plan(environment: Environment, wanted: str | None, home: Path) -> Plan:
    """Look around; nothing is changed. wanted: `cpu` or `cuda` against what the machine suggests."""
    choice = choose(gpu(), wanted)
    data = sources()
    found, steps, hosts, service = [choice.why], [], [], False
    for host, spec in HOSTS.items():
        here, folders = programs(host), spec.folders(home)
        if here:
            found.append(f"{spec.name} {', '.join(program.version for program in here)}")
        elif folders:
            found.append(f"{spec.title}: a profile of yours in {folders[0].parent}")
        elif ud_flatpak.is_installed(host):
            found.append(f"{spec.title} as a Flatpak that never ran: start it once, then python3 installer {host}")
        else:
            found.append(f"no {spec.title}")
        if here or folders:
            hosts.append(host)
        service |= any(map(ud_flatpak.is_flatpak, folders))
    found.append(f"{free_megabytes(environment.folder)} MB free on the disk")
    if environment.folder.exists() and not environment.ours():
        steps.append(f"use the environment {environment.folder} as it is")
    elif not environment.ours() or environment.outdated(choice.kind, tests=False):
        megabytes, disk = data["download_megabytes"][choice.kind], data["disk_megabytes"][choice.kind]
        steps.append(
            f"make the environment {environment.folder}: downloads about {megabytes} MB, takes up to {disk} MB"
        )
    steps.append("fetch what is missing of the pretrained weights (123 MB)")
    steps += [f"put the plug-in into {HOSTS[host].title}, and ask it whether it sees it" for host in hosts]
    if service:
        steps.append(
            "let the engine run as a service of yours, as a sandbox cannot start it (--no-service leaves that)"
        )
    return Plan(found, steps, hosts)


def show(made: Plan, report: Reporter) -> None:
    """Print the plan."""
    report.say("Underdrawing: paint on the underdrawing of a picture, and the picture follows.")
    report.say("")
    report.say("Found here:")
    for line in made.found:
        report.say(f"  {line}")
    report.say("")
    report.say("What will be done:")
    for number, line in enumerate(made.steps, 1):
        report.say(f"  {number}. {line}")
    report.say("")
    report.say("`python3 installer remove` takes all of it away again.")


def agreed(question: str, report: Reporter, default: bool = False) -> bool:
    """Ask the person; without a terminal nobody is there to agree."""
    if not sys.stdin.isatty():
        report.warn("Nobody can be asked here: add --yes.")
        return False
    try:
        answer = input(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().lower()
    except EOFError:
        return False
    return answer in ("y", "yes") if answer else default
