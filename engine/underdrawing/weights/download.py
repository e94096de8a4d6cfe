"""Downloading one file over HTTP: resumed where it broke off, checked against its sha256, complete or absent."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from underdrawing.weights.store import WeightsError

if TYPE_CHECKING:
    import requests

Report = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""

# What a broken connection may lose: the last unfinished chunk.
CHUNK = 1 << 16
CONNECT_SECONDS, READ_SECONDS = 15.0, 60.0
FRUITLESS_TRIES = 5
ALL_TRIES = 60


class _BrokenError(Exception):
    """The connection broke off or the server stumbled; another try may help."""


def sha256_of(file: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def room(folder: Path, wanted: int) -> None:
    """Raise WeightsError unless the folder's disk has `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise WeightsError(
            f"The disk of {folder} has {free / 1e6:.0f} MB free and {wanted / 1e6:.0f} MB are needed: free some space "
            f"or set UNDERDRAWING_HOME to a folder on another disk."
        )


def download(
    url: str, target: Path, *, sha256: str, size: int, report: Report | None = None, pause: float = 0.5
) -> None:
    """Fetch `url` to `target`, going on from `<target>.part` when an earlier run was broken off.

    Proxies and certificates are those of the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE).
    `pause` seconds pass before the second try, twice as many before each further one.

    Raises WeightsError: no connection, a refusal, a disk without room, or a file that is not the one expected.
    """
    import requests

    part = target.with_name(target.name + ".part")
    started_with = part.stat().st_size if part.exists() else 0
    room(target.parent, size - min(started_with, size))
    with requests.Session() as session:
        fruitless = 0
        for _ in range(ALL_TRIES):
            before = part.stat().st_size if part.exists() else 0
            try:
                _go_on(session, url, part, size, report)
                break
            except (_BrokenError, requests.RequestException) as error:
                gained = part.exists() and part.stat().st_size > before
                fruitless = 0 if gained else fruitless + 1
                if fruitless >= FRUITLESS_TRIES:
                    raise WeightsError(
                        f"Could not download {url}: {_plain(error)}. Check the network and the proxy, "
                        f"name a mirror (--mirror) or a folder with the file (--offline). "
                        "A new try goes on where this one stopped."
                    ) from error
                time.sleep(pause * 2**fruitless)
        else:
            raise WeightsError(f"Could not download {url}: the connection broke off {ALL_TRIES} times.")
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        if started_with:  # The old beginning may have been another version's: once more from the start.
            return download(url, target, sha256=sha256, size=size, report=report, pause=pause)
        raise WeightsError(
            f"{url} is not the file expected (its sha256 is {found}, not {sha256}): it was thrown away. "
            f"Use another mirror, or tell us when the file has been replaced on purpose."
        )
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(target)
    return None


def _go_on(session: requests.Session, url: str, part: Path, size: int, report: Report | None) -> None:
    """Append to `part` what is missing of `size` bytes."""
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    if have == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer:
        if answer.status_code == 416:
            part.unlink(missing_ok=True)
            raise _BrokenError("the server does not have the rest of the file")
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _BrokenError(f"the server answered {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise WeightsError(f"{url} cannot be had: the server answered {answer.status_code} {answer.reason}.")
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not resumed:
            have = 0
        with part.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_content(CHUNK):
                have += len(chunk)
                if have > size:
                    raise WeightsError(f"{url} is not the file expected: it is larger than {size} bytes.")
                out.write(chunk)
                if report:
                    report(have, size)
    if have < size:
        raise _BrokenError(f"the connection ended after {have} of {size} bytes")


def _plain(error: Exception) -> str:
    """The innermost reason of an exception, in one line."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    text = str(cause).strip() or type(cause).__name__
    return text.splitlines()[0].rstrip(".")
