"""Writing a file as a whole or not at all, in place of another one or anew."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from underdrawing.picture.image import PictureError


def check_target(path: Path) -> None:
    """Refuse a name that cannot be written to: no such folder, a folder, a special file, or read-only.

    Raises:
        PictureError: with the reason.
    """
    target = path.resolve()
    if not target.parent.is_dir():
        raise PictureError(f"{path.name} cannot be written: there is no folder {target.parent}. Make it first.")
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise PictureError(f"{path.name} cannot be written: {error.strerror or error}.") from None
    if stat.S_ISDIR(mode):
        raise PictureError(f"{path} is a folder; add the name of a file.")
    if not stat.S_ISREG(mode):
        raise PictureError(f"{path} is no regular file; choose another name.")
    # The bits are looked at, as a superuser may write to everything.
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise PictureError(f"{path.name} is read-only, so it stays as it is; choose another name, or make it writable.")


def write_whole(path: Path, data: bytes) -> None:
    """Write under another name first, then rename: a full disk or a crash leaves the old file as it was.

    A symbolic link stays one: the file that it names is replaced. A file that is replaced keeps its mode and, where the
    system allows it, its owner.

    Raises:
        PictureError: the name cannot be written to.
    """
    check_target(path)
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    except OSError as error:
        raise PictureError(f"{path.name} cannot be written to {target.parent}: {error.strerror or error}.") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PictureError(f"{path.name} cannot be written: {error.strerror or error}.") from None


def put_in_place(complete: Path, path: Path) -> None:
    """Rename a complete file to its name; it takes the mode and owner of the one there, or those that new files get.

    Raises:
        OSError: the name cannot be written to.
    """
    target = path.resolve()
    try:
        known = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        complete.chmod(0o666 & ~mask)
    else:
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only a superuser may give a file to another user
                os.chown(complete, known.st_uid, known.st_gid)
        complete.chmod(stat.S_IMODE(known.st_mode))
    complete.replace(target)
