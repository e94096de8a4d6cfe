"""Pictures that requests speak of: the engine must have every part of them."""

from __future__ import annotations

from typing import Any

from underdrawing.client.frames import check_header
from underdrawing.client.request_fields import checked_hash, hashes
from underdrawing.store.blob_store import Spool


def check_present(spool: Spool, *references: Any) -> tuple[str, ...]:
    """All hashes that these references (or planes, lists and regions of them) speak of.

    Raises:
        EngineError: the engine does not have one of them, or it is no picture.
    """
    found = hashes(*references)
    for key in found:
        check_header(spool.header(checked_hash(key)))
    return found
