"""Runs programs in the folder with GIMP and Krita, with mounts of their own that nobody else sees."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Arguments: the folder, how many paths are shared, these paths, the command. The tests' own folders appear in there
# under the names that they have outside, and the whole machine under /outside. /tmp and /run are fresh for each run.
SHARE = """set -e
root=$1 count=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs run "$root/run"
mkdir -p "$root/outside" "$root/tmp/.X11-unix" "$root/run/user"
chmod 1777 "$root/tmp/.X11-unix"
chmod 700 "$root/run/user"
while [ "$count" -gt 0 ]; do
  mkdir -p "$root/$1"
  mount --bind "$1" "$root/$1"
  shift; count=$((count - 1))
done
mount --rbind / "$root/outside"
PATH=$PATH:/usr/sbin:/sbin
exec chroot "$root" "$@"
"""


def command(root: Path, shared: Sequence[Path], environment: Mapping[str, str], words: Sequence[str]) -> list[str]:
    """The command line that runs `words` in the folder.

    Args:
        root: the folder, see `debian.ensure`.
        shared: folders of this machine that appear in there under the same names, writable.
        environment: all variables but PATH, LANG and XDG_RUNTIME_DIR.
        words: a program and its arguments.
    """
    folders = [str(folder.resolve()) for folder in shared]
    variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": "/run/user", **environment}
    settings = [f"{name}={value}" for name, value in variables.items()]
    mounts = ["unshare", "--mount", "sh", "-c", SHARE, "sh", str(root), str(len(folders)), *folders]
    return [*mounts, "/usr/bin/env", "-i", *settings, *words]


def run(
    root: Path, shared: Sequence[Path], environment: Mapping[str, str], words: Sequence[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a program in the folder to its end; output and errors come together as `stdout`.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds; it and what it started are ended.
    """
    process = start(root, shared, environment, words, stdout=subprocess.PIPE)
    try:
        told, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill(process)
        told, _ = process.communicate()
        raise subprocess.TimeoutExpired(list(words), timeout, told) from None
    return subprocess.CompletedProcess(list(words), process.returncode, told)


def start(
    root: Path,
    shared: Sequence[Path],
    environment: Mapping[str, str],
    words: Sequence[str],
    stdout: int | None = subprocess.DEVNULL,
) -> subprocess.Popen[str]:
    """Start a program in the folder, in a process group of its own; end it with `kill`."""
    return subprocess.Popen(
        command(root, shared, environment, words),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    """End a program and all of its group (not an engine that it started: that has a group of its own)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def outside(python: Path, folder: Path, variables: Mapping[str, str]) -> Path:
    """A program in `folder` (which must be shared) that runs this machine's `python`, in there as out here.

    So a plug-in in there can start the engine as it is installed out here, and a test the same one.
    """
    lines = [f"export {name}={_quoted(value)}" for name, value in variables.items()]
    script = folder / "engine-python"
    program = _quoted(str(python))
    lines.append(f'if [ -d /outside/etc ]; then exec /usr/sbin/chroot /outside {program} "$@"; fi')
    script.write_text("\n".join(["#!/bin/sh", *lines, f'exec {program} "$@"', ""]), encoding="utf-8")
    script.chmod(0o755)
    return script


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
