"""Whether the engine's code on disk is still the code that runs: after an upgrade it is not, version or no version."""

from __future__ import annotations

import hashlib
from pathlib import Path


class OwnCode:
    """The Python files of a package.

    Args:
        package: their folder.
    """

    def __init__(self, package: Path) -> None:
        self.package = package
        self._stamp = self._seen = self._newest()
        self._hash = self._of_all()

    def replaced(self) -> bool:
        """Whether other code lies there, and nobody is in the middle of writing it.

        As long as no file's name, size or time changes, nothing is read. Changes count from the second look on.
        """
        stamp, before = self._newest(), self._seen
        self._seen = stamp
        if stamp in (self._stamp, ()) or stamp != before:
            return False
        if self._of_all() != self._hash:
            return True
        self._stamp = stamp  # touched, or written anew as it was
        return False

    def _newest(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for path in self.package.rglob("*.py"):
            try:
                status = path.stat()
            except OSError:  # replaced just now
                return ()
            found.append((str(path), status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))

    def _of_all(self) -> str:
        digest = hashlib.sha256()
        for name, _, _ in self._newest():
            try:
                content = Path(name).read_bytes()
            except OSError:
                content = b""
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()
