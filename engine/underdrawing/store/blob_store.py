"""The spool: pictures on their way, by hash, in files that daemon, worker and renderer share.

The standard library alone, as the daemon uses it. The daemon deletes what was least recently used when it grows too
large; the other processes only read and add.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import mmap
import os
import shutil
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from underdrawing.client.frames import blob_size, check_header, start_hash
from underdrawing.client.messages import EngineError
from underdrawing.client.request_fields import checked_hash
from underdrawing.store.model_library import sync_file

LIMIT = 4 << 30  # bytes
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
SWEEP = 32  # the limit's share of new bytes after which the folder is looked through again


def _missing() -> EngineError:
    return EngineError("unknown_picture", "The engine does not have that picture any more.", "Send it again.")


class Upload:
    """A blob that arrives in chunks, in order. Nobody sees it before it is complete and its hash is right."""

    def __init__(self, spool: Spool, header: dict[str, Any]) -> None:
        self.spool, self.key = spool, checked_hash(header.get("hash"))
        if header.get("file") is True:
            size = header.get("size")
            if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= spool.limit:
                raise EngineError("too_large", "The file is empty or larger than the engine takes.")
            self.size, self.about = size, {"file": True, "size": size}
            self.digest = hashlib.sha256()
        else:
            self.about = check_header(header)
            self.size, self.digest = blob_size(self.about), start_hash(self.about)
        if self.size > spool.limit:
            raise EngineError("too_large", "The picture is larger than the engine's spool.", "Send a smaller region.")
        self.received = 0
        self.path = spool.folder / f"{uuid.uuid4().hex}.partial"
        self._file = self.path.open("xb", buffering=0)

    def add(self, offset: int, chunk: Any) -> bool:
        """Take the next chunk; True when the blob is complete and in the spool.

        Raises:
            EngineError: a chunk at the wrong place, too many bytes, a wrong hash, or a full disk. It is dropped then.
        """
        view = memoryview(chunk).cast("B")
        if offset != self.received or not view.nbytes or offset + view.nbytes > self.size:
            self.drop()
            raise EngineError("bad_frame", "A part of a picture does not fit; it must be sent again from the start.")
        try:
            left = view
            while left.nbytes:  # an unbuffered file may take less than it is given: on a nearly full disk, say
                try:
                    left = left[self._file.write(left) :]
                except OSError as error:
                    if error.errno not in NO_SPACE or not self.spool.give_way(self.size - self.received):
                        raise
            self.digest.update(view)
            self.received += view.nbytes
            if self.received < self.size:
                return False
            self._file.close()
            if self.digest.hexdigest() != self.key:
                raise EngineError("bad_frame", "A picture's bytes do not have the hash that its header promises.")
            self.spool.name(self.path, self.key, self.about)
        except EngineError:
            self.drop()
            raise
        except OSError as error:
            self.drop()
            raise EngineError(
                "disk_full",
                f"The engine could not store a picture: {error.strerror or error}.",
                "Make room on the disk that holds the engine's folder.",
            ) from None
        return True

    def drop(self) -> None:
        """Forget what arrived."""
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class Spool:
    """A folder of blobs: `HASH.raw` and, beside it, `HASH.json`, its header. A cache: what goes can be sent again.

    Args:
        limit: bytes of all blobs; or half of what they and the disk's free space make together, if that is less.
        owner: whether it may delete blobs to make room: the daemon alone knows what is in use.
    """

    def __init__(self, folder: Path, limit: int = LIMIT, owner: bool = False) -> None:
        self.folder, self.limit, self.owner = folder, limit, owner
        self.pinned: Counter[str] = Counter()
        self._new = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, key: str) -> Path:
        """Where the bytes of a blob are."""
        return self.folder / f"{key}.raw"

    def has(self, key: str) -> bool:
        """Whether the blob is complete; asking counts as using it.

        After a power cut a file may be shorter than it was, or empty: that blob must be sent again.
        """
        try:
            about = self.header(key)
            size = about["size"] if about.get("file") is True else blob_size(check_header(about))
            return bool(self.path(key).stat().st_size == size)
        except (OSError, KeyError, EngineError):
            return False

    def header(self, key: str) -> dict[str, Any]:
        """A blob's header.

        Raises:
            EngineError: the engine does not have it (any more).
        """
        try:
            loaded = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            os.utime(self.path(key))
        except (OSError, ValueError, RecursionError):
            raise _missing() from None
        if not isinstance(loaded, dict):
            raise _missing()
        return loaded

    def open(self, key: str) -> memoryview:
        """The bytes of a blob, mapped, not copied."""
        try:
            with self.path(key).open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):
            raise _missing() from None

    def read(self, key: str, offset: int, length: int) -> bytes:
        """A part of a blob; shorter at its end."""
        try:
            with self.path(key).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except (OSError, ValueError):
            raise _missing() from None

    def put(self, header: dict[str, Any], blob: Any) -> str:
        """Store a whole blob; its hash.

        Raises:
            EngineError: header, bytes and hash do not fit together, or there is no room on the disk.
        """
        key = checked_hash(header.get("hash"))
        if not self.has(key):
            incoming = Upload(self, header)
            if not incoming.add(0, blob):
                incoming.drop()
                raise EngineError("bad_frame", "A picture does not have as many bytes as its header promises.")
        return key

    def adopt(self, path: Path) -> str:
        """Take a file that was written into the spool's folder; its hash."""
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        self.name(path, key, {"file": True, "size": path.stat().st_size})
        return key

    def name(self, partial: Path, key: str, about: dict[str, Any]) -> None:
        """Give complete bytes their name; the header last, as it makes the blob valid."""
        self._new += int(partial.stat().st_size)
        partial.replace(self.path(key))
        header = self.folder / f"{uuid.uuid4().hex}.partial"
        header.write_text(json.dumps({**about, "hash": key}), encoding="utf-8")
        header.replace(self.folder / f"{key}.json")

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
            # Who keeps a blob counts on it, also after a power cut; what only passes through can be sent again.
            sync_file(target)

    def make_room(self, size: int) -> None:
        """Before `size` bytes are added: sweep, if much was added since the last time or the disk is nearly full."""
        if self._new + size > min(self.limit, shutil.disk_usage(self.folder).free) // SWEEP:
            self.sweep(size)

    def give_way(self, size: int) -> int:
        """Delete the least recently used blobs that nobody uses until `size` bytes are freed; how many really were."""
        freed = 0
        if self.owner:
            for used, key in self._by_age():
                if freed >= size:
                    break
                freed += used if self._delete(key) else 0
        return freed

    def _by_age(self) -> list[tuple[int, str]]:
        """Sizes and keys of all blobs, the least recently used first."""
        entries = []
        for path in self.folder.glob("*.raw"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                entries.append((stat.st_mtime, stat.st_size, path.stem))
        return [(size, key) for _, size, key in sorted(entries)]

    def _delete(self, key: str) -> bool:
        """Delete a blob unless it is in use."""
        if self.pinned[key]:
            return False
        try:
            (self.folder / f"{key}.json").unlink(missing_ok=True)
            self.path(key).unlink(missing_ok=True)
        except OSError:  # a system that does not delete what somebody reads
            return False
        return True

    def sweep(self, room: int = 0) -> None:
        """Delete the least recently used blobs until `room` bytes more fit."""
        entries = self._by_age()
        total = sum(size for size, _ in entries)
        most = min(self.limit, (total + shutil.disk_usage(self.folder).free) // 2)
        total += room
        for size, key in entries:
            if total <= most:
                break
            if self._delete(key):
                total -= size
        self._new = 0

    def clean(self) -> None:
        """At the start of an engine: what a killed one left half written goes."""
        for pattern in ("*.partial", "*.tmp"):
            for path in self.folder.glob(pattern):
                with contextlib.suppress(OSError):
                    path.unlink()
