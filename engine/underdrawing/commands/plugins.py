"""The plug-ins and the installer as this copy has them: a wheel carries them, a clone has them beside the engine."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from underdrawing.client.endpoint import home
from underdrawing.client.messages import EngineError

PACKAGE = Path(__file__).resolve().parents[1]


def installer() -> Path:
    """The folder of the installer's modules.

    Raises:
        EngineError: this copy came without them.
    """
    for folder in (PACKAGE / "_carried" / "installer", PACKAGE.parents[1] / "installer"):
        if (folder / "ud_host_install.py").is_file():
            return folder
    raise EngineError(
        "no_plugins",
        "This copy of the engine came without the plug-ins.",
        "Install Underdrawing from its wheel, or from a clone: python3 installer gimp (or krita)",
    )


def _module(name: str) -> Any:
    """One of the installer's modules."""
    folder = str(installer())
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def host_lines() -> list[dict[str, str]]:
    """What the installer finds about GIMP, Krita and their plug-ins (`verdict`, `text`, `remedy`); empty without it."""
    try:
        examining = _module("ud_doctor")
    except EngineError:
        return []
    lines: list[dict[str, str]] = examining.as_json(examining.host_lines())
    return lines


def write_report(file: Path, lines: list[str]) -> None:
    """Write what the doctor found in a form that can be shown to others.

    Raises:
        EngineError: it cannot be written.
    """
    try:
        file.write_text(_module("ud_redact").report_text(lines, home()), encoding="utf-8")
    except OSError as error:
        text = f"The report {file} cannot be written: {error.strerror}."
        raise EngineError("report", text, "Name another place.") from None


def put(host: str, to: Path | None = None, program: Path | None = None, offline: Path | None = None) -> int:
    """Put a plug-in where its host finds it, and ask the host; the exit code.

    Args:
        host: `gimp` or `krita`.
        to: a folder of plug-ins, where it is not to be looked for.
        program: gimp-console or kritarunner, where it is not to be looked for.
        offline: a folder with files, where nothing is to be downloaded.

    Raises:
        EngineError: what is wrong and what to do.
    """
    installing, reporting, fetching = _module("ud_host_install"), _module("ud_report"), _module("ud_pip")
    report = reporting.Reporter()
    pip = fetching.Pip(Path(sys.executable), report, fetching.Where(offline))
    report.open_log(home() / "logs" / f"{host}.log")
    try:
        code: int = installing.install(host, report, to=to, named=program, engine_home=home(), pip=pip)
    except reporting.InstallError as error:
        raise EngineError("install", str(error), error.hint) from None
    except OSError as error:
        text = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}."
        raise EngineError("install", text, "Is the folder writable, and is there room on the disk?") from None
    finally:
        report.close_log()
    return code
