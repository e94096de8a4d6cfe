"""The engine as a service of the user's own systemd: it starts with the session, and plug-ins in sandboxes find it.

Not restarted when it was ended on purpose (`underdrawing engine stop`): it comes back with the next session, or when
another client starts the engine. For macOS and Windows, docs/installation.md describes what to do by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ud_hardware import clean_environment
from ud_report import InstallError, Reporter
from ud_uninstall_record import Record, forget, missing

MADE = "# Made for this: "
WANTS = "default.target.wants"
UNIT = "underdrawing.service"
PATIENCE = 60.0  # seconds for the engine of a service to listen
# What a person may have set for the engine; a service inherits nothing of a terminal's.
KEPT = ("UNDERDRAWING_WEIGHTS", "ORT_DISABLE_TELEMETRY")


@dataclass(frozen=True)
class Engine:
    """What the service runs.

    Attributes:
        python: the environment's.
        home: the engine's folder.
        variables: for its environment.
    """

    python: Path
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str]:
        """The engine's program; it stays, however long nobody needs it."""
        return [str(self.python), "-P", "-m", "underdrawing.daemon", "--home", str(self.home), "--idle-exit", "inf"]


def engine(python: Path, home: Path) -> Engine:
    """What the service of this environment runs."""
    base = clean_environment()
    return Engine(python, home, {name: base[name] for name in KEPT if base.get(name)})


def _quoted(text: str) -> str:
    """A word of a unit file: systemd's own quoting, and neither its specifiers nor its variables."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def unit(made: Engine, folders: Sequence[str] = ()) -> str:
    """A unit of the user's systemd (systemd.service(5), systemd.syntax(7)).

    folders: those that are made for it, written down for when it goes.
    """
    settings = [f"{name}={value}".replace("\\", "\\\\").replace('"', '\\"') for name, value in made.variables.items()]
    lines = [
        f"{MADE}{json.dumps(list(folders))}",
        "[Unit]",
        "Description=Underdrawing's engine",
        "",
        "[Service]",
        f"ExecStart={' '.join(_quoted(word) for word in made.command())}",
        *(f'Environment="{setting}"'.replace("%", "%%") for setting in settings),
        "Restart=on-failure",
        "RestartSec=5",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "\n".join(lines) + "\n"


def place(home: Path) -> Path:
    """The file that is the service. home: the user's folder."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user" / UNIT


def ours(python: Path, home: Path) -> bool:
    """Whether there is a service that runs this environment's engine."""
    try:
        text = place(home).read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return False
    return _quoted(str(python.parent))[1:-1] in text


def switch_on(made: Engine, home: Path, report: Reporter) -> None:
    """Write the service, and start it. An engine that runs must have been ended before.

    Raises:
        InstallError: it cannot be had here; nothing of it stays then.
    """
    if sys.platform != "linux":
        raise InstallError(
            "The installer sets the engine up as a service on Linux only.",
            "docs/installation.md describes what to do by hand; usually the engine is started when it is needed.",
        )
    final = place(home)
    report.step("Letting the engine run as a service of yours")
    folders = _made(final) if final.exists() else missing([final.parent / WANTS], home)
    final.parent.mkdir(parents=True, exist_ok=True)
    final.write_text(unit(made, folders), encoding="utf-8")
    orders = [["daemon-reload"], ["enable", UNIT], ["restart", UNIT]]
    for order in orders:
        why = _order(order, report)
        if why:
            switch_off(home, report)
            raise InstallError(
                f"The engine cannot run as a service here: {why}",
                "Nothing of it stays. Start the engine by hand instead: underdrawing engine start",
            )
    why = _waited(made)
    if why:
        switch_off(home, report)
        raise InstallError(f"The engine was started as a service, and does not answer: {why}", "Nothing of it stays.")
    report.say(f"The engine runs as a service: {final}")


def switch_off(home: Path, report: Reporter) -> list[Path]:
    """End the service and delete it; what was deleted."""
    final = place(home)
    if not final.exists():
        return []
    _order(["disable", "--now", UNIT], report)
    # Without a session there is nobody who would take the link away.
    (final.parent / WANTS / UNIT).unlink(missing_ok=True)
    folders = _made(final)
    final.unlink()
    _order(["daemon-reload"], report)
    forget(Record(tuple(folders)))
    return [final]


def _made(final: Path) -> list[str]:
    """The folders that were made for a unit, as its first line lists them."""
    first = final.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    try:
        return [str(name) for name in json.loads(first.removeprefix(MADE))]
    except (ValueError, TypeError):
        return []


def _order(words: Sequence[str], report: Reporter) -> str:
    """Tell systemd something; its complaint, or nothing."""
    command = ["systemctl", "--user", *words]
    report.log("$ " + " ".join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except FileNotFoundError:
        return "there is no systemd."
    except subprocess.TimeoutExpired:
        return "systemd does not answer."
    report.log(done.stdout + done.stderr)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["systemctl failed."])[-1]


def _waited(made: Engine) -> str:
    """Wait until the service's engine answers; why it does not, or nothing."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom underdrawing.client.engine import Engine\n"
        "from underdrawing.client.messages import EngineError\n"
        "try:\n    Engine.connect(start=False, home=Path(sys.argv[1])).close()\n"
        "except EngineError as error:\n    sys.exit(error.message)\n"
    )
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        why, end = "it did not start.", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            done = subprocess.run(
                [str(made.python), "-c", script, str(made.home)],
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                env=clean_environment(),
            )
            if done.returncode == 0:
                return ""
            why = (done.stderr.strip().splitlines() or [why])[-1]
            time.sleep(0.5)
    return why
