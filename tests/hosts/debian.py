"""Puts a Debian 13 with GIMP 3 and Krita 5.2 into a folder of the user's cache, once, for the tests of the plug-ins.

    python3 tests/hosts/debian.py            make it, if it is not there yet
    python3 tests/hosts/debian.py where      where it is
    python3 tests/hosts/debian.py remove     delete it

It needs Linux, root, and a machine whose own packages come from Debian: its mirror is asked for Debian 13. Nothing of
the machine is changed but for the package `mmdebstrap`, which does the work. Exit code 3: it cannot be done here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

RELEASE = "trixie"
PACKAGES = (
    "gimp",
    "krita",
    "python3-gi",
    "python3-zmq",
    "python3-pyqt5",
    "python3-pyqt5.sip",
    "xvfb",
    "xauth",
    "openbox",
    "xdotool",
    "imagemagick",
    "libgl1-mesa-dri",
    "fonts-dejavu-core",
    "adwaita-icon-theme",
    "dbus-x11",
)
# Nobody reads them there, and they are a fifth of what is written.
LEFT_OUT = tuple(f"/usr/share/{name}/*" for name in ("man", "doc", "locale", "help", "gtk-doc"))
MIRROR = "UNDERDRAWING_DEBIAN_MIRROR"
LONGEST = 1800  # seconds; it takes two minutes with a near mirror
CANNOT = 3

Say = Callable[[str], None]


class HostsError(Exception):
    """The folder cannot be made. `cannot`: not on this machine at all (in contrast to: not this time)."""

    def __init__(self, message: str, cannot: bool = True) -> None:
        super().__init__(message)
        self.cannot = cannot


def place() -> Path:
    """Where the folder is, whether or not it is there yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "underdrawing" / f"hosts-{RELEASE}-{platform.machine()}"


def recipe() -> str:
    """What the folder is made of; another recipe makes it anew."""
    return json.dumps({"release": RELEASE, "packages": PACKAGES, "left_out": LEFT_OUT})


def ready() -> bool:
    """Whether the folder is there, whole, and made by this recipe."""
    try:
        return (place() / "underdrawing-hosts.json").read_text(encoding="utf-8") == recipe()
    except OSError:
        return False


def why_not() -> str | None:
    """Why the folder can neither be made nor used on this machine; None when nothing speaks against it."""
    if sys.platform != "linux":
        return "the hosts for the tests are a Debian in a folder, which needs Linux"
    if os.geteuid() != 0:
        return "the hosts for the tests are a Debian in a folder, which needs root (chroot)"
    own_mounts = ["unshare", "--mount", "true"]
    if not shutil.which("unshare") or subprocess.run(own_mounts, capture_output=True, check=False).returncode != 0:
        return "this machine does not allow mounts of its own (unshare --mount), which programs in the folder need"
    return None


def mirror() -> str:
    """The Debian mirror that this machine's own packages come from."""
    named = os.environ.get(MIRROR)
    if named:
        return named
    for again in (False, True):
        if again:
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, timeout=300)
        form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
        command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
        for line in told.splitlines():
            origin, label, address = line.split("|", 2)
            if (origin, label) == ("Debian", "Debian"):
                return address
    raise HostsError(f"none of this machine's package sources is Debian's (name a mirror with {MIRROR})")


def ensure(say: Say = print) -> Path:
    """The folder, made where it is not there yet.

    Raises:
        HostsError: it cannot be made, and why.
    """
    why = why_not()
    if why is not None:
        raise HostsError(why)
    with _alone(say):
        if not ready():
            _make(say)
    return place()


@contextlib.contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Two test runs at a time make one folder."""
    place().parent.mkdir(parents=True, exist_ok=True)
    with place().with_suffix(".lock").open("a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another run makes the folder with GIMP and Krita: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(say: Say) -> None:
    if shutil.which("apt-get") is None:
        raise HostsError("the hosts for the tests come from Debian's packages, and apt-get is not here")
    source = mirror()
    if shutil.which("mmdebstrap") is None:
        _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "mmdebstrap"], "mmdebstrap")
    # An interrupted run leaves this one; it never has the final name before it is whole.
    partial = place().with_suffix(".partial")
    remove(partial)
    say(f"GIMP 3 and Krita 5.2 for the tests (430 MB are fetched, once; 1.3 GB on the disk) into {place()}")
    began = time.monotonic()
    options = ["--variant=minbase", '--aptopt=APT::Install-Recommends "false"']
    options += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += [f"--include={','.join(PACKAGES)}"]
    _run(["mmdebstrap", "--quiet", *options, RELEASE, str(partial), source], "the folder")
    (partial / "underdrawing-hosts.json").write_text(recipe(), encoding="utf-8")
    remove(place())
    partial.rename(place())
    say(f"Made in {time.monotonic() - began:.0f} s.")


def _run(command: list[str], what: str) -> None:
    """Run a program that fetches packages; its last words are the reason when it fails."""
    told = place().with_suffix(".log")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with told.open("wb") as log:
        try:
            done = subprocess.run(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=quiet, check=False, timeout=LONGEST
            )
        except subprocess.TimeoutExpired:
            raise HostsError(f"{what} was not made within {LONGEST // 60} minutes", cannot=False) from None
    if done.returncode != 0:
        lines = [line for line in told.read_text(errors="replace").splitlines() if line.strip()]
        last = lines[-1] if lines else f"exit code {done.returncode}"
        raise HostsError(f"{what} could not be made: {last} (all of it: {told})", cannot=False)


def remove(folder: Path) -> None:
    """Delete such a folder, after looking that nothing is mounted in it: that would be deleted, too."""
    if not folder.exists():
        return
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    inside = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{folder.resolve()}/")]
    if inside:
        raise HostsError(f"{folder} stays: something is mounted at {inside[0]}", cannot=False)
    shutil.rmtree(folder)


def main(words: list[str]) -> int:
    """The command line."""
    verb = words[0] if words else "make"
    if verb not in ("make", "where", "remove") or len(words) > 1:
        print(__doc__)
        return 2
    try:
        if verb == "make":
            print(ensure())
        elif verb == "where":
            print(place())
        else:
            remove(place())
            remove(place().with_suffix(".partial"))
    except HostsError as error:
        print(error, file=sys.stderr)
        return CANNOT if error.cannot else 1
    except (OSError, subprocess.SubprocessError) as error:
        print(f"the folder with the hosts could not be made: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
