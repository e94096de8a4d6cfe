"""The spool: pictures on their way, by hash, in files that daemon, worker and renderer share.

The standard library alone, as the daemon uses it. Least recently used pictures go when it grows too large.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from underdrawing.link.messages import EngineError
from underdrawing.link.pixels import blob_size, check_header, start_hash

LIMIT = 4 << 30  # bytes
HASH = re.compile(r"[0-9a-f]{64}\Z")
FILE_HEADER = {"file": True}  # the header of blobs that are files, not pictures


def checked_hash(value: object) -> str:
    """A hash from anybody, as it becomes a file name.

    Raises:
        EngineError: it is no sha256 in hexadecimal.
    """
    if not isinstance(value, str) or not HASH.match(value):
        raise EngineError("bad_request", "That is not a hash of a picture.")
    return value


class Spool:
    """A folder of blobs: `HASH.raw` and, beside it, `HASH.json`, its header."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit
        self.pinned: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, key: str) -> Path:
        """Where the bytes of a blob are."""
        return self.folder / f"{key}.raw"

    def has(self, key: str) -> bool:
        """Whether the blob is complete; asking counts as using it."""
        with contextlib.suppress(OSError):
            os.utime(self.path(key))
            return (self.folder / f"{key}.json").is_file()
        return False

    def header(self, key: str) -> dict[str, Any]:
        """A blob's header.

        Raises:
            EngineError: the engine does not have it (any more).
        """
        try:
            loaded = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            os.utime(self.path(key))
        except (OSError, ValueError):
            raise EngineError(
                "unknown_picture", "The engine does not have that picture any more.", "Send it again."
            ) from None
        return dict(loaded)

    def open(self, key: str) -> memoryview:
        """The bytes of a blob, mapped, not copied."""
        try:
            with self.path(key).open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):
            raise EngineError(
                "unknown_picture", "The engine does not have that picture any more.", "Send it again."
            ) from None

    def put(self, header: dict[str, Any], blob: Any) -> str:
        """Store a whole blob; its hash is computed, and compared where the header has one.

        Raises:
            EngineError: header and bytes do not fit, or there is no room on the disk.
        """
        key = self._key(header)
        if self.has(key):
            return key
        self.begin(header)
        return self.add(header, 0, blob) or key

    def _key(self, header: dict[str, Any]) -> str:
        return checked_hash(header.get("hash"))

    def size(self, header: dict[str, Any]) -> int:
        """Bytes that a header promises."""
        if header.get("file") is True:
            size = header.get("size")
            if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= self.limit:
                raise EngineError("too_large", "The file is empty or larger than the engine takes.")
            return size
        return blob_size(check_header(header))

    def begin(self, header: dict[str, Any]) -> str:
        """Make room for a blob that comes in chunks."""
        key, size = self._key(header), self.size(header)
        if size > self.limit:
            raise EngineError("too_large", "The picture is larger than the engine's spool.", "Send a smaller region.")
        self.sweep(size)
        self._partial(key).unlink(missing_ok=True)
        return key

    def _partial(self, key: str) -> Path:
        return self.folder / f"{key}.partial"

    def add(self, header: dict[str, Any], offset: int, chunk: Any) -> str | None:
        """Append a chunk; returns the hash when the blob is complete.

        Raises:
            EngineError: a chunk at the wrong place, too many bytes, a wrong hash, or a full disk.
        """
        key, size = self._key(header), self.size(header)
        partial = self._partial(key)
        view = memoryview(chunk).cast("B")
        present = partial.stat().st_size if partial.exists() else 0
        if offset != present or offset + view.nbytes > size or not view.nbytes:
            partial.unlink(missing_ok=True)
            raise EngineError("bad_frame", "A part of a picture does not fit; it must be sent again from the start.")
        try:
            with partial.open("ab") as file:
                file.write(view)
            if offset + view.nbytes < size:
                return None
            self._complete(key, header, partial)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise EngineError(
                "disk_full",
                f"The engine could not store a picture: {error.strerror or error}.",
                "Make room on the disk that holds the engine's folder.",
            ) from None
        return key

    def _complete(self, key: str, header: dict[str, Any], partial: Path) -> None:
        """Check the hash, then give the blob its name; the header last, as it makes the blob valid."""
        if header.get("file") is True:
            about: dict[str, Any] = {**FILE_HEADER, "size": self.size(header)}
            digest = hashlib.sha256()
        else:
            about = check_header(header)
            digest = start_hash(about)
        with partial.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != key:
            partial.unlink(missing_ok=True)
            raise EngineError("bad_frame", "A picture's bytes do not have the hash that its header promises.")
        partial.replace(self.path(key))
        about_partial = self.folder / f"{key}.json.partial"
        about_partial.write_text(json.dumps({**about, "hash": key}), encoding="utf-8")
        about_partial.replace(self.folder / f"{key}.json")

    def adopt(self, path: Path) -> str:
        """Take a file that was written into the spool's folder; its hash."""
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        header = {**FILE_HEADER, "size": path.stat().st_size, "hash": key}
        path.replace(self.path(key))
        partial = self.folder / f"{key}.json.partial"
        partial.write_text(json.dumps(header), encoding="utf-8")
        partial.replace(self.folder / f"{key}.json")
        return key

    def pin(self, *keys: str) -> None:
        """Keep blobs however old they become, until they are unpinned as often."""
        self.pinned.update(keys)

    def unpin(self, *keys: str) -> None:
        """The reverse of `pin`."""
        self.pinned.subtract(keys)
        self.pinned += Counter()

    def link(self, key: str, folder: Path) -> None:
        """A second name for a blob in another folder, where the spool's limit does not reach it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.header(key)
        for suffix in ("raw", "json"):
            source, target = self.folder / f"{key}.{suffix}", folder / f"{key}.{suffix}"
            if target.exists():
                continue
            try:
                os.link(source, target)
            except OSError:  # another file system, or one without links
                partial = target.with_name(target.name + ".partial")
                partial.write_bytes(source.read_bytes())
                partial.replace(target)

    def sweep(self, room: int = 0) -> None:
        """Delete the least recently used blobs until `room` bytes more fit."""
        entries = []
        for path in self.folder.glob("*.raw"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                entries.append((stat.st_mtime, stat.st_size, path.stem))
        total = sum(size for _, size, _ in entries) + room
        for _, size, key in sorted(entries):
            if total <= self.limit:
                break
            if not self.pinned[key]:
                (self.folder / f"{key}.json").unlink(missing_ok=True)
                self.path(key).unlink(missing_ok=True)
                total -= size
