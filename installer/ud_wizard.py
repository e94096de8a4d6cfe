"""`python3 installer` alone: what is here, what would be done, a question, and then all of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import ud_hosts
from ud_env import Environment
from ud_hardware import choose, free_megabytes, gpu, sources
from ud_host_programs import appimages, programs
from ud_report import Reporter
from ud_sandbox import boxed, sandboxed


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
    for host, name in ud_hosts.NAMES.items():
        here = programs(host)
        folders = ud_hosts.plugin_folders(host, home)
        box, images = sandboxed(host), appimages(host, home)
        if here:
            found.append(f"{name.split()[0]} {', '.join(program.version for program in here)}")
        elif images:
            found.append(f"{name.split()[0]} as an AppImage: {images[0]}")
        elif folders:
            found.append(f"{name}: a profile of yours in {folders[0].parent}")
        elif box:
            found.append(f"{name} as a {box}, which you never started: start it once, then python3 installer {host}")
        else:
            found.append(f"no {name}")
        # A GIMP as an AppImage cannot be asked for a first profile.
        if here or folders or (images and host == "krita"):
            hosts.append(host)
        service |= any(boxed(folder) for folder in folders)
    found.append(f"{free_megabytes(environment.folder)} MB free on the disk")
    if environment.folder.exists() and not environment.ours():
        steps.append(f"use the environment {environment.folder} as it is")
    elif not environment.ours() or environment.outdated(choice.kind, tests=False):
        megabytes, disk = data["download_megabytes"][choice.kind], data["disk_megabytes"][choice.kind]
        steps.append(
            f"make the environment {environment.folder}: downloads about {megabytes} MB, takes up to {disk} MB"
        )
    steps.append("fetch what is missing of the pretrained weights (68 MB)")
    steps += [f"put the plug-in into {ud_hosts.NAMES[host]}, and ask it whether it sees it" for host in hosts]
    if service:
        steps.append(
            "let the engine run as a service of yours, as a sandbox cannot start it (--no-service leaves that)"
        )
    if hosts:
        steps.append("after another question, put a first picture, learnt already, among your pictures")
    return Plan(found, steps, hosts)


def show(made: Plan, report: Reporter) -> None:
    """Tell the person."""
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
