"""A file layer that breaks on purpose: a program is killed, or the disk refuses, at its n-th change of files.

Python tells an audit hook of every file that is opened for writing, renamed or removed, before it happens, also where
a library in C does it in Python's name. So nothing of the tested code has to know. What is tested runs in a process of
its own, forked for every n: `every_fault` tries them all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

NOT_REACHED = 3  # exit code
MOST = 400  # changes of files after which a scenario counts as endless
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Fault(StrEnum):
    """What happens at the chosen change."""

    KILL = "kill -9"
    POWER = "power cut"  # killed, and what was never flushed to the disk is lost
    FULL = "disk full"  # from there on nothing can be written; renaming and removing go on
    READ_ONLY = "read-only folder"  # from there on nothing can be changed
    DENIED = "permission lost"  # from there on nothing can be opened for writing


ERRORS = {Fault.FULL: errno.ENOSPC, Fault.READ_ONLY: errno.EROFS, Fault.DENIED: errno.EACCES}
REFUSED = {
    Fault.FULL: ("open", "mkdir", "link", "fsync"),
    Fault.READ_ONLY: ("open", "mkdir", "link", "rename", "remove", "fsync"),
    Fault.DENIED: ("open", "mkdir", "link"),
}


@dataclass
class Layer:
    """Counts the changes below a folder, and breaks at one of them.

    Args:
        folder: only what happens in it counts.
        fault: what happens.
        at: the number of the change, from 0.
    """

    folder: str
    fault: Fault
    at: int
    count: int = 0
    on: bool = True

    def __post_init__(self) -> None:
        self.unsafe: dict[str, str] = {}  # files written and not flushed to the disk, by their present name
        self._fsync = os.fsync
        os.fsync = self._flushed  # type: ignore[assignment]
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            written = (flags or 0) & WRITING if mode is None else set(str(mode)) & set("wax+")
            if isinstance(path, str | bytes | os.PathLike) and written:
                # "r+" is how a file is opened to be flushed; none of ours writes that way.
                self._change("open", os.fsdecode(path), unsafe="r" not in str(mode))
        elif event == "os.rename":
            self._change("rename", os.fsdecode(args[0]), os.fsdecode(args[1]))
        elif event in ("os.remove", "os.rmdir"):
            self._change("remove", os.fsdecode(args[0]))
        elif event in ("os.mkdir", "os.link"):
            self._change(event[3:], os.fsdecode(args[-3] if event == "os.mkdir" else args[1]))

    def _flushed(self, descriptor: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        self._change("fsync", path)
        self._fsync(descriptor)
        self.unsafe.pop(path, None)

    def _change(self, kind: str, path: str, target: str = "", unsafe: bool = True) -> None:
        path = str(Path(path).absolute())
        if not path.startswith(self.folder):
            return
        number, self.count = self.count, self.count + 1
        if number >= self.at:
            self._break(kind, path, number)
        if kind == "open" and unsafe:
            self.unsafe[path] = path
        elif kind == "rename":
            moved = {name: name for name in self.unsafe if name == path or name.startswith(path + os.sep)}
            for name in moved:
                del self.unsafe[name]
                renamed = str(Path(target).absolute()) + name[len(path) :]
                self.unsafe[renamed] = renamed
        elif kind == "remove":
            self.unsafe.pop(path, None)

    def _break(self, kind: str, path: str, number: int) -> None:
        if self.fault in (Fault.KILL, Fault.POWER):
            self.on = False
            if self.fault is Fault.POWER:
                for name in self.unsafe:
                    with contextlib.suppress(OSError):
                        os.truncate(name, Path(name).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind in REFUSED[self.fault]:
            raise OSError(ERRORS[self.fault], os.strerror(ERRORS[self.fault]), path)


def broken(work: Callable[[], None], folder: Path, fault: Fault, at: int) -> tuple[bool, str]:
    """Do `work` in a forked process over the breaking layer.

    Returns:
        whether the fault was reached at all, and what went wrong that no caller could expect ("" if nothing).
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        code, said = 0, ""
        try:
            layer = Layer(str(folder), fault, at)
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - what may come out is judged by the parent
                layer.on = False
                # An error that says what is wrong is an answer; anything else is a fault of the tested code.
                if not isinstance(error, (OSError, *EXPECTED)):
                    said = traceback.format_exc()
            layer.on = False
            code = 0 if layer.count > at else NOT_REACHED
            os.write(tell, said.encode()[-4000:])
        finally:
            os._exit(code)  # never back into the tests
    os.close(tell)
    said = b"".join(iter(lambda: os.read(told, 4096), b"")).decode("utf-8", "replace")
    os.close(told)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status != NOT_REACHED, said


EXPECTED: tuple[type[Exception], ...] = ()


def expect(*kinds: type[Exception]) -> None:
    """Errors with a sentence of ours that a scenario may end with."""
    global EXPECTED  # noqa: PLW0603 - set once, by the scenarios' module
    EXPECTED = kinds


def every_fault(
    make: Callable[[], tuple[Path, Callable[[], None]]], fault: Fault
) -> Iterator[tuple[int, Path, bool, str]]:
    """Do the work of `make` again and again, broken at its first, second, third … change of files.

    Args:
        make: lays a fresh folder and gives it with the work.

    Yields:
        (number of the change, the folder as the fault left it, whether it was reached, what went wrong): the last one
        was not reached, so there the work was done to its end.
    """
    for at in range(MOST):
        folder, work = make()
        reached, said = broken(work, folder, fault, at)
        yield at, folder, reached, said
        if not reached:
            return
    raise AssertionError(f"more than {MOST} changes of files")
