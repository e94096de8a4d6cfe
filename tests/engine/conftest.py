"""Fixtures that several rooms need."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Inodes of the files that were flushed to the disk, and so survive a power cut."""
    found: set[int] = set()
    flush = os.fsync

    def flushed(descriptor: int) -> None:
        flush(descriptor)
        found.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", flushed)
    return found
