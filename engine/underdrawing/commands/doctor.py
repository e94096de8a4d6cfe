"""`underdrawing doctor`: looks at the engine, its packages, keys and weights, and at GIMP and Krita."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from underdrawing.commands import output
from underdrawing.commands.output import Json, reports_errors

LEAST_FREE = 1e9  # bytes


class Verdict(StrEnum):
    """How a line stands."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


_SIGNS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.BAD: "✗"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it stands, a sentence, and what to do."""

    verdict: Verdict
    text: str
    remedy: str = ""


@reports_errors
def doctor(
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write it to a file, without your names, folders and keys."),
    ] = None,
    json: Json = False,
) -> None:
    """Check everything and say what to do. Exit code 1 when something is wrong."""
    from underdrawing.commands import plugins

    found = [*_examine(), *(Finding(Verdict(line.pop("verdict")), **line) for line in plugins.host_lines())]

    def text() -> str:
        lines = []
        for finding in found:
            lines.append(f"{_SIGNS[finding.verdict]} {finding.text}")
            if finding.remedy:
                lines.append(f"    {finding.remedy}")
        return "\n".join(lines)

    if report is not None:
        plugins.write_report(report, text().splitlines())
    output.answer({"lines": [asdict(finding) for finding in found]}, text)
    if any(finding.verdict is Verdict.BAD for finding in found):
        raise typer.Exit(output.FAILED)


def _examine() -> Iterator[Finding]:
    """Everything but GIMP and Krita."""
    from underdrawing import __version__, weights
    from underdrawing.client.endpoint import home
    from underdrawing.client.messages import EngineError

    yield Finding(Verdict.NOTE, f"Underdrawing {__version__}, Python {sys.version.split()[0]} ({sys.executable})")
    yield from package_findings(installed_packages())
    yield from registration_findings(home())
    yield from key_findings(home())
    yield from leftover_findings()
    try:
        with output.engine() as engine:
            hello = engine.hello()
            if hello["version"] != __version__:
                text = f"The engine that runs is version {hello['version']}, this copy is {__version__}."
                yield Finding(Verdict.BAD, text, "Run: underdrawing engine stop   (the next use starts this one)")
            else:
                yield Finding(Verdict.GOOD, f"The engine runs and answers (process {hello['pid']}).")
            yield from engine_findings(engine.status(probe=True))
            yield from _device_findings(engine.methods())
    except EngineError as error:
        yield Finding(Verdict.BAD, error.message, error.hint)
    missing = weights.missing()
    for name in missing:
        text = f"The weights {name} are missing: {weights.CATALOGUE[name].without}."
        yield Finding(Verdict.NOTE, text, f"underdrawing weights fetch {name}")
    if not missing:
        yield Finding(Verdict.GOOD, f"The pretrained weights are in {weights.folder()}.")


def installed_packages() -> dict[str, str]:
    """What matters about the packages here: the names of ONNX Runtime's, and CUDA's version for it and for PyTorch."""
    from importlib.metadata import distributions

    names = {str(found.metadata["Name"]).lower() for found in distributions()}
    found = dict.fromkeys(names & {"onnxruntime", "onnxruntime-gpu"}, "installed")
    try:
        import torch

        found["torch"] = torch.__version__
        if torch.cuda.is_available():
            found["torch_cuda"] = str(torch.version.cuda)
        from onnxruntime.capi import build_and_package_info as built

        if getattr(built, "cuda_version", None):
            found["onnxruntime_cuda"] = str(built.cuda_version)
    except ImportError as error:
        found["error"] = str(error)
    return found


def package_findings(packages: dict[str, str]) -> Iterator[Finding]:
    """What `installed_packages` means."""
    runtimes = {"onnxruntime", "onnxruntime-gpu"} & set(packages)
    if len(runtimes) > 1:
        text = "onnxruntime and onnxruntime-gpu are both installed and break each other."
        yield Finding(Verdict.BAD, text, "Remove both with pip, and install the one you want.")
    elif not runtimes:
        text = "Neither onnxruntime nor onnxruntime-gpu is installed, so models cannot be applied."
        yield Finding(Verdict.BAD, text, "Install one: pip install 'underdrawing[cpu]'   or 'underdrawing[cuda]'")
    if "error" in packages and runtimes:
        yield Finding(Verdict.BAD, f"A package cannot be loaded: {packages['error']}", "Run: python3 installer engine")
    elif "torch" in packages:
        yield Finding(Verdict.GOOD, f"The engine's packages can be loaded (PyTorch {packages['torch']}).")
    ours, theirs = packages.get("torch_cuda"), packages.get("onnxruntime_cuda")
    if ours and theirs and ours.split(".")[0] != theirs.split(".")[0]:
        text = f"PyTorch was built for CUDA {ours}, ONNX Runtime for {theirs}: one of them will not use the card."
        yield Finding(Verdict.BAD, text, "Run: python3 installer remove   and then: python3 installer engine --cuda")


def registration_findings(home: Path) -> Iterator[Finding]:
    """Whether the plug-ins know where the engine is."""
    import json

    try:
        python = str(json.loads((home / "install.json").read_text(encoding="utf-8"))["python"])
    except (OSError, ValueError, KeyError, TypeError):
        yield Finding(Verdict.BAD, "The plug-ins do not know where the engine is.", "Run: underdrawing install")
        return
    if not Path(python).is_file():
        text = f"The plug-ins would start the engine with {python}, which is not there."
        yield Finding(Verdict.BAD, text, "Run: underdrawing install")


def key_findings(home: Path) -> Iterator[Finding]:
    """Keys that others on this machine could read."""
    places = [home / "keys", *(home / "keys").glob("*.secret")] if os.name == "posix" else []
    for place in places:
        if place.exists() and place.stat().st_mode & 0o077:
            text = f"Others can read {place}, and so use your engine."
            remedy = "Run: underdrawing engine stop   and then: underdrawing engine key rotate"
            yield Finding(Verdict.BAD, text, remedy)


def leftover_findings() -> Iterator[Finding]:
    """Engines whose folder was deleted: nobody can reach them."""
    import psutil

    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if "underdrawing.daemon" not in words or "--home" not in words[:-1]:
            continue
        try:
            if Path("/proc/self/cwd").exists():
                # The folder that it works in, as it sees it: a container's path may not exist for others.
                gone = str(Path(f"/proc/{process.info['pid']}/cwd").readlink()).endswith(" (deleted)")
            else:
                gone = not Path(words[words.index("--home") + 1]).is_dir()
        except OSError:
            continue
        if gone:
            text = f"An engine whose folder was deleted still runs (process {process.info['pid']})."
            yield Finding(Verdict.BAD, text, f"End it: kill {process.info['pid']}")


def engine_findings(status: dict[str, Any]) -> Iterator[Finding]:
    """What the engine reports about its disk and about what applies models."""
    free = float(status["free"])
    text = f"{output.megabytes(free)} are free in {status['home']}."
    yield Finding(Verdict.GOOD, text) if free > LEAST_FREE else Finding(Verdict.BAD, text, "Free some space.")
    renderer = status.get("renderer") or {}
    if "error" in renderer:
        error = renderer["error"]
        text = f"Models cannot be applied: {error.get('message')}"
        yield Finding(Verdict.BAD, text, str(error.get("hint") or ""))
    providers = renderer.get("providers") or {}
    for name, reply in providers.items() if isinstance(providers, dict) else []:
        good = reply in (True, "", "ok", "runs")
        verdict = Verdict.GOOD if good else Verdict.NOTE
        yield Finding(verdict, f"A small graph on {name}: {'runs' if good else reply}.")


def _device_findings(methods: dict[str, Any]) -> Iterator[Finding]:
    devices = [d if isinstance(d, str) else str(d.get("name") or d) for d in methods.get("devices") or []]
    if devices:
        yield Finding(Verdict.GOOD, f"Devices for training: {', '.join(devices)}.")
    else:
        yield Finding(Verdict.BAD, "There is no device for training.")
