"""A session with a systemd of the user's own, in mounts that nobody else sees, whatever this machine runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MANAGER = Path("/lib/systemd/systemd")
RUNTIME = "/run/user/ud"
# systemd wants a booted system (it looks for one folder), a folder for the session, and control groups of its own.
BEGIN = """set -e
group=ud-$$
mount -t tmpfs run /run
mkdir -p /run/systemd/system {runtime}
chmod 700 {runtime}
mount -t cgroup2 none /mnt
mkdir /mnt/$group
echo $$ > /mnt/$group/cgroup.procs
umount /mnt
umount -l /sys/fs/cgroup
exec unshare --cgroup --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup; exec "$0" --user' {manager}
"""


class SessionError(Exception):
    """There can be no such session on this machine, and why."""


class Session:
    """A running one.

    Attributes:
        home: whose services it runs.
    """

    def __init__(self, home: Path, log: Path) -> None:
        if sys.platform != "linux" or os.geteuid() != 0 or not MANAGER.exists() or not shutil.which("systemctl"):
            raise SessionError("a session with systemd needs Linux with systemd's programs, and root")
        script = BEGIN.format(runtime=RUNTIME, manager=MANAGER)
        variables = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": RUNTIME}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "UNDERDRAWING_HOME"):
            variables.pop(name, None)
        with log.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", script],
                env=variables,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.within = ("nsenter", f"--target={self.process.pid}", "--mount", "env", f"XDG_RUNTIME_DIR={RUNTIME}")
        end = time.monotonic() + 30
        while self.control("is-system-running", home=home).stdout.strip() not in ("running", "degraded"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                raise SessionError(f"systemd does not run as a user's here: {log.read_text(encoding='utf-8')}")
            time.sleep(0.2)

    def control(self, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
        """Ask systemd something."""
        command = [*self.within, f"HOME={home}", "systemctl", "--user", "--no-pager", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def end(self) -> None:
        """End it, and all that it runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        group = f"/mnt/ud-{self.process.pid}"
        tidy = f"mount -t cgroup2 none /mnt && find {group} -depth -type d -exec rmdir {{}} +"
        subprocess.run(["unshare", "--mount", "sh", "-c", tidy], capture_output=True, check=False, timeout=30)
