"""`python3 installer doctor`: one page of lines, each good or bad, and for the bad ones what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import ud_hosts
import ud_service
from ud_env import Environment
from ud_hardware import choose, clean_environment, free_megabytes, gpu
from ud_host_programs import appimages, programs, running
from ud_plugins import digest, installed, version
from ud_redact import report_text
from ud_report import InstallError, Reporter
from ud_sandbox import boxed, sandboxed
from ud_wheel import has

LEAST_FREE = 1000  # megabytes


class Verdict(Enum):
    """How a line stands."""

    GOOD = "✓"
    NOTE = "·"
    BAD = "✗"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    verdict: Verdict
    text: str
    remedy: str = ""


# Runs in the environment: a one-node graph on every provider, and what the engine's own parts say.
_INSIDE = """
import json, importlib.metadata as md, warnings
warnings.simplefilter("ignore")
names = {d.metadata["Name"] for d in md.distributions()}
said = {"flavours": sorted(names & {"onnxruntime", "onnxruntime-gpu"})}
from underdrawing import __version__
from underdrawing.client import endpoint
home = endpoint.home()
said["version"], said["home"], said["protocol"] = __version__, str(home), endpoint.PROTOCOL
found = endpoint.Connection.read(home)
said["connection"] = found and {"pid": found.pid, "protocol": found.protocol, "version": found.version}
try:
    said["registered"] = json.loads((home / "install.json").read_text(encoding="utf-8")).get("python")
except (OSError, ValueError, AttributeError):
    said["registered"] = None
import os, pathlib, psutil
said["registered_there"] = bool(said["registered"]) and pathlib.Path(said["registered"]).is_file()
said["alive"] = bool(found) and psutil.pid_exists(found.pid)
places = [home / "keys", *(home / "keys").glob("*.secret")] if os.name == "posix" else []
said["exposed"] = [str(p) for p in places if p.exists() and p.stat().st_mode & 0o077]
said["leftover"] = []
for process in psutil.process_iter(["pid", "cmdline", "uids"]):
    words = process.info["cmdline"] or []
    if "underdrawing.daemon" in words and "--home" in words[:-1]:
        try:
            if os.path.exists("/proc/self/cwd"):
                # The folder that it works in, as it sees it: a container's has a path that is not there for others.
                gone = os.readlink("/proc/%d/cwd" % process.info["pid"]).endswith(" (deleted)")
            else:
                gone = not pathlib.Path(words[words.index("--home") + 1]).is_dir()
        except OSError:
            continue
        if gone:
            said["leftover"].append(process.info["pid"])
import torch
said["torch"] = torch.__version__
said["cuda"] = torch.version.cuda if torch.cuda.is_available() else None
import onnx, onnxruntime as ort
from onnx import TensorProto, helper
if hasattr(ort, "preload_dlls") and said["cuda"]:
    ort.preload_dlls()
try:
    from onnxruntime.capi import build_and_package_info as built
    said["ort_cuda"] = getattr(built, "cuda_version", None)
except ImportError:
    said["ort_cuda"] = None
graph = helper.make_graph(
    [helper.make_node("Add", ["a", "a"], ["b"])], "g",
    [helper.make_tensor_value_info("a", TensorProto.FLOAT, [2])],
    [helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()
import numpy as np
said["providers"] = {}
for name in ort.get_available_providers():
    if name not in ("CPUExecutionProvider", "CUDAExecutionProvider"):
        continue
    try:
        ort.set_default_logger_severity(4)
        session = ort.InferenceSession(model, providers=[name])
        good = session.run(None, {"a": np.ones(2, np.float32)})[0].tolist() == [2.0, 2.0]
        said["providers"][name] = "runs" if good and session.get_providers()[0] == name else "does not run"
    except Exception as error:
        said["providers"][name] = str(error).splitlines()[0]
from underdrawing import weights
said["weights"] = str(weights.folder())
said["missing"] = {n: weights.CATALOGUE[n].without for n in weights.missing()}
print(json.dumps(said))
"""


def examine(environment: Environment) -> list[Line]:
    """Look at everything. Never raises for what it finds."""
    lines: list[Line] = []
    card = gpu()
    lines.append(Line(Verdict.NOTE, choose(card).why))
    free = free_megabytes(environment.folder)
    verdict, remedy = (
        (Verdict.GOOD, "") if free >= LEAST_FREE else (Verdict.BAD, "Make room: models and results are kept.")
    )
    lines.append(Line(verdict, f"{free} MB are free on the disk of {environment.folder.parent}.", remedy))
    lines += host_lines()
    lines += service_lines(environment)
    if not environment.folder.exists():
        return [*lines, Line(Verdict.BAD, "Underdrawing is not installed here.", "Run: python3 installer engine")]
    state = environment.state()
    if not environment.ours():
        lines.append(Line(Verdict.NOTE, f"{environment.folder} was not made by the installer."))
    elif state.get("running"):
        remedy = "Run: python3 installer engine   (it goes on where it stopped)"
        lines.append(Line(Verdict.BAD, f"The installation stopped at the step '{state['running']}'.", remedy))
    command = [str(environment.python), "-c", _INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    environment.report.log(done.stderr)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return [*lines, Line(Verdict.BAD, f"The engine cannot be loaded: {why}", "Run: python3 installer engine")]
    return lines + _judge(json.loads(done.stdout.strip().splitlines()[-1]), card is not None)


def host_lines() -> list[Line]:
    """GIMP and Krita: which are here, and how their plug-ins stand."""
    lines = []
    for host, name in ud_hosts.NAMES.items():
        home = Path.home()
        for program in programs(host):
            lines.append(Line(Verdict.GOOD, f"{name.split()[0]} {program.version} is here ({program.path})."))
        for image in appimages(host, home):
            lines.append(Line(Verdict.NOTE, f"{name.split()[0]} as an AppImage: {image}."))
        box = sandboxed(host)
        if box:
            lines.append(Line(Verdict.NOTE, f"{name} is here as a {box}.", "What that means: docs/installation.md"))
        folders = ud_hosts.with_plugin(host, home)
        if not folders:
            lines.append(Line(Verdict.NOTE, f"No {name} has the plug-in.", f"Run: python3 installer {host}"))
        lines += [_plugin_line(host, folder, home) for folder in folders]
        if folders and running(host):
            lines.append(Line(Verdict.NOTE, f"{name.split()[0]} is open; it takes up a new plug-in when it starts."))
    return lines


def service_lines(environment: Environment) -> list[Line]:
    """Whether the engine runs as a service, and whether a sandbox needs that."""
    home = Path.home()
    if ud_service.ours(environment.python, home):
        return [Line(Verdict.GOOD, f"The engine runs as a service of yours ({ud_service.place(home)}).")]
    boxes = [host for host in ud_hosts.NAMES for folder in ud_hosts.with_plugin(host, home) if boxed(folder)]
    text = "is in a sandbox and cannot start the engine, which is no service here."
    return [
        Line(Verdict.NOTE, f"{ud_hosts.NAMES[host]} {text}", f"Run: python3 installer {host} --service")
        for host in boxes
    ]


def _plugin_line(host: str, folder: Path, home: Path) -> Line:
    """How one plug-in stands."""
    name, note = ud_hosts.NAMES[host], installed(host, folder)
    again = f"Run: python3 installer {host}"
    if note is None:
        return Line(Verdict.BAD, f"The plug-in for {name} in {folder} is not complete.", again)
    if note.get("digest") != digest(host):
        here, there = version(), note.get("version") or "unknown"
        what = f"is of version {there}, this copy is {here}" if there != here else "is of another state of this version"
        return Line(Verdict.BAD, f"The plug-in for {name} in {folder} {what}.", "Run: python3 installer update")
    if host == "krita" and not ud_hosts.is_on(folder, home):
        return Line(Verdict.BAD, f"The plug-in for {name} is switched off in {ud_hosts.kritarc(folder, home)}.", again)
    program = folder / "underdrawing-gimp" / "underdrawing-gimp.py"
    if host == "gimp" and os.name == "posix" and not os.access(program, os.X_OK):
        return Line(Verdict.BAD, f"GIMP cannot start the plug-in: {program} is not executable.", again)
    own = has(host, folder).get("version")
    zmq = f", with a pyzmq {own} of its own" if own else ""
    return Line(Verdict.GOOD, f"The plug-in for {name} in {folder} is that of this copy ({note['version']}){zmq}.")


def _engine_lines(said: dict[str, Any]) -> list[Line]:
    """The engine: who runs it, whether it runs, its version, its keys, and engines that nobody needs."""
    lines = []
    if said["registered"] is None:
        remedy = "Run: python3 installer engine"
        lines.append(Line(Verdict.BAD, "The plug-ins do not know where the engine is.", remedy))
    elif not said["registered_there"]:
        text = f"The plug-ins would start the engine with {said['registered']}, which is not there."
        lines.append(Line(Verdict.BAD, text, "Run: python3 installer engine"))
    found = said["connection"]
    if found and said["alive"]:
        text = f"The engine runs: version {found['version']}, protocol {found['protocol']} (process {found['pid']})."
        if found["protocol"] != said["protocol"] or found["version"] != said["version"]:
            text = f"{text[:-1]}, but this copy is {said['version']}, protocol {said['protocol']}."
            lines.append(Line(Verdict.BAD, text, "Run: underdrawing engine stop   (it is started again by itself)"))
        else:
            lines.append(Line(Verdict.GOOD, text))
    else:
        lines.append(Line(Verdict.NOTE, "The engine does not run; it is started when it is needed."))
    for number in said["leftover"]:
        text = f"An engine whose folder was deleted still runs (process {number})."
        lines.append(Line(Verdict.BAD, text, f"End it: kill {number}"))
    for place in said["exposed"]:
        remedy = "Run: underdrawing engine stop   and then: underdrawing engine key rotate"
        lines.append(Line(Verdict.BAD, f"Others can read {place}, and so use your engine.", remedy))
    return lines


def _judge(said: dict[str, Any], card: bool) -> list[Line]:
    """Turn what the environment said into lines."""
    lines = [Line(Verdict.GOOD, f"The engine's packages can be loaded (torch {said['torch']}).")]
    lines += _engine_lines(said)
    if len(said["flavours"]) > 1:
        remedy = "Run: python3 installer remove   and then: python3 installer engine"
        lines.append(
            Line(Verdict.BAD, "onnxruntime and onnxruntime-gpu are both installed and break each other.", remedy)
        )
    for name, answer in said["providers"].items():
        verdict = Verdict.GOOD if answer == "runs" else Verdict.BAD
        remedy = "" if answer == "runs" else "Update the NVIDIA driver, or use the CPU: python3 installer engine --cpu"
        if name.startswith("CUDA") and answer != "runs" and not card:
            verdict, remedy = Verdict.NOTE, ""
        lines.append(Line(verdict, f"A small graph on {name}: {answer}.", remedy))
    built = said.get("ort_cuda")
    if said["cuda"] and built and str(built).split(".")[0] != said["cuda"].split(".")[0]:
        text = f"torch was built for CUDA {said['cuda']}, onnxruntime for {built}: one of them will not use the card."
        remedy = "Run: python3 installer remove   and then: python3 installer engine --cuda"
        lines.append(Line(Verdict.BAD, text, remedy))
    if card and said["cuda"] is None:
        lines.append(
            Line(Verdict.NOTE, "There is a card, but torch runs on the CPU.", "python3 installer engine --cuda")
        )
    for name, cost in said["missing"].items():
        lines.append(
            Line(Verdict.NOTE, f"The weights {name} are missing: {cost}.", f"underdrawing weights fetch {name}")
        )
    if not said["missing"]:
        lines.append(Line(Verdict.GOOD, f"The pretrained weights are in {said['weights']}."))
    return lines


def doctor(environment: Environment, report: Reporter, file: Path | None = None) -> int:
    """Print the page; 1 when a line is bad.

    file: where a copy goes that can be shown to others.
    """
    lines = examine(environment)
    colours = {Verdict.GOOD: 32, Verdict.NOTE: 0, Verdict.BAD: 31}
    told = [f"Underdrawing {version()} on {sys.platform}, environment {environment.folder}"]
    report.say(told[0])
    for line in lines:
        report.paint(f"  {line.verdict.value} {line.text}", colours[line.verdict])
        told.append(f"  {line.verdict.value} {line.text}")
        if line.remedy:
            report.say(f"      {line.remedy}")
            told.append(f"      {line.remedy}")
    if file is not None:
        try:
            file.write_text(report_text(told, environment.home()), encoding="utf-8")
        except OSError as error:
            raise InstallError(
                f"The report {file} cannot be written: {error.strerror}.", "Name another place."
            ) from None
        report.say(f"Written: {file}   (without names, folders and keys of yours; look through it before you send it)")
    return 1 if any(line.verdict is Verdict.BAD for line in lines) else 0
