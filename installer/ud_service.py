"""The engine as a service of the user's: it starts with the session, and plug-ins in sandboxes find it running.

Linux: a unit of the user's own systemd. macOS: a launch agent. Windows: a task at the logon. Each is written, switched
on, looked at, and taken away again. Not restarted when it was ended on purpose (`underdrawing engine stop`): it comes
back with the next session, or when another client starts the engine.
"""

from __future__ import annotations

import json
import os
import plistlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from ud_hardware import clean_environment
from ud_report import InstallError, Reporter
from ud_uninstall_record import Traces, forget, missing

MADE = "# Made for this: "
WANTS = "default.target.wants"
UNIT, AGENT, TASK = "underdrawing.service", "org.underdrawing.engine", "Underdrawing"
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
        return [str(self.python), "-m", "underdrawing.daemon", "--home", str(self.home), "--idle-exit", "inf"]


def engine(python: Path, home: Path) -> Engine:
    """What the service of this environment runs."""
    base = clean_environment()
    # Made by another Python than a windowless one, a task of Windows would show a window.
    quiet = python.with_name("pythonw.exe")
    chosen = quiet if sys.platform == "win32" and quiet.is_file() else python
    return Engine(chosen, home, {name: base[name] for name in KEPT if base.get(name)})


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


def agent(made: Engine) -> bytes:
    """A launch agent (launchd.plist(5))."""
    return plistlib.dumps(
        {
            "Label": AGENT,
            "ProgramArguments": made.command(),
            "EnvironmentVariables": dict(made.variables),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ProcessType": "Interactive",
            "StandardErrorPath": str(made.home / "logs" / "start.log"),
        }
    )


def task(made: Engine, user: str) -> str:
    """A task of Windows' scheduler (Task Scheduler schema 1.2). Its environment is that of the logon."""
    words = made.command()
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Underdrawing's engine</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{escape(user)}</UserId></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>{escape(user)}</UserId><LogonType>InteractiveToken</LogonType>
    <RunLevel>LeastPrivilege</RunLevel></Principal></Principals>
  <Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>3</Count></RestartOnFailure></Settings>
  <Actions Context="Author"><Exec><Command>{escape(words[0])}</Command>
    <Arguments>{escape(subprocess.list2cmdline(words[1:]))}</Arguments></Exec></Actions>
</Task>
"""


def place(home: Path) -> Path:
    """The file that is the service. home: the user's folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Underdrawing" / "service.xml"
    if sys.platform == "darwin":
        return home / "Library" / "LaunchAgents" / f"{AGENT}.plist"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user" / UNIT


def ours(python: Path, home: Path) -> bool:
    """Whether there is a service that runs this environment's engine."""
    try:
        text = place(home).read_bytes().decode("utf-16" if sys.platform == "win32" else "utf-8", errors="replace")
    except (OSError, UnicodeError):
        return False
    folder = str(python.parent)
    return (_quoted(folder)[1:-1] if sys.platform == "linux" else escape(folder)) in text


def switch_on(made: Engine, home: Path, report: Reporter) -> None:
    """Write the service, and start it. An engine that runs must have been ended before.

    Raises:
        InstallError: it cannot be had here; nothing of it stays then.
    """
    final = place(home)
    report.step("Letting the engine run as a service of yours")
    folders = _made(final) if final.exists() else missing([final.parent / WANTS], home)
    final.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        final.write_text(task(made, os.environ.get("USERNAME", "")), encoding="utf-16")
        orders = [["schtasks", "/Create", "/TN", TASK, "/XML", str(final), "/F"], ["schtasks", "/Run", "/TN", TASK]]
    elif sys.platform == "darwin":
        final.write_bytes(agent(made))
        _order(["launchctl", "bootout", f"gui/{os.getuid()}/{AGENT}"], report)
        orders = [["launchctl", "bootstrap", f"gui/{os.getuid()}", str(final)]]
    else:
        final.write_text(unit(made, folders), encoding="utf-8")
        control = ["systemctl", "--user"]
        orders = [[*control, "daemon-reload"], [*control, "enable", UNIT], [*control, "restart", UNIT]]
    for order in orders:
        said = _order(order, report)
        if said:
            switch_off(home, report)
            raise InstallError(
                f"The engine cannot run as a service here: {said}",
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
    if sys.platform == "win32":
        _order(["schtasks", "/End", "/TN", TASK], report)
        _order(["schtasks", "/Delete", "/TN", TASK, "/F"], report)
    elif sys.platform == "darwin":
        _order(["launchctl", "bootout", f"gui/{os.getuid()}/{AGENT}"], report)
    else:
        _order(["systemctl", "--user", "disable", "--now", UNIT], report)
        # Without a session there is nobody who would take the link away.
        (final.parent / WANTS / UNIT).unlink(missing_ok=True)
    folders = _made(final)
    final.unlink()
    if sys.platform == "linux":
        _order(["systemctl", "--user", "daemon-reload"], report)
        forget(Traces(tuple(folders)))
    return [final]


def _made(final: Path) -> list[str]:
    """The folders that were made for a unit, as it says itself."""
    first = final.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    try:
        return [str(name) for name in json.loads(first.removeprefix(MADE))]
    except (ValueError, TypeError):
        return []


def _order(words: Sequence[str], report: Reporter) -> str:
    """Tell the system's own manager something; its complaint, or nothing."""
    report.log("$ " + " ".join(words))
    try:
        done = subprocess.run(
            list(words), capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        return f"there is no {words[0]}."
    except subprocess.TimeoutExpired:
        return f"{words[0]} does not come back."
    report.log(done.stdout + done.stderr)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"{words[0]} failed."])[-1]


def _waited(made: Engine) -> str:
    """Wait until the service's engine answers; why it does not, or nothing."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom underdrawing.client.engine import Engine\n"
        "from underdrawing.client.messages import EngineError\n"
        "try:\n    Engine.connect(start=False, home=Path(sys.argv[1])).close()\n"
        "except EngineError as error:\n    sys.exit(error.message)\n"
    )
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        said, end = "it did not start.", time.monotonic() + PATIENCE
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
            said = (done.stderr.strip().splitlines() or [said])[-1]
            time.sleep(0.5)
    return said
