"""CURVE keys: one pair for the engine, one for the user's clients, and the list of clients that may come in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, List, Tuple

from .endpoint import is_key, write_private
from .messages import EngineError


def load_pair(folder: Path, name: str, create: bool) -> Tuple[bytes, bytes]:
    """A pair of keys, (public, secret), Z85.

    A secret file that others can read is exposed: it is replaced by a new one.

    Args:
        folder: the keys folder (0700).
        name: "engine" or "client".
        create: make the pair where there is none.
    """
    path = folder / (name + ".secret")
    if path.is_file() and os.name == "posix" and path.stat().st_mode & 0o077:
        if not create:
            raise EngineError(
                "key_exposed",
                "The secret key %s can be read by others." % path.name,
                "Restart the engine: it makes a new one (underdrawing engine stop).",
            )
        path.unlink()
    try:
        public, secret = path.read_text(encoding="ascii").split()
        if is_key(public) and is_key(secret):
            return public.encode("ascii"), secret.encode("ascii")
    except (OSError, ValueError):
        pass
    if not create:
        raise EngineError("no_key", "There is no key to reach the engine with.", "Start it: underdrawing engine start")
    return new_pair(folder, name)


def new_pair(folder: Path, name: str) -> Tuple[bytes, bytes]:
    """Make a new pair and store it (0600)."""
    import zmq

    public, secret = zmq.curve_keypair()
    write_private(folder / (name + ".secret"), public.decode("ascii") + "\n" + secret.decode("ascii") + "\n")
    return public, secret


def rotate(folder: Path) -> None:
    """New pairs for the engine and for this user's clients; what was known of the old ones is worth nothing then.

    The engine must not run meanwhile. Clients on other machines keep their own keys, and need the engine's new one.
    """
    for name in ("engine", "client"):
        new_pair(folder, name)


def as_text(key: bytes) -> str:
    """A public key as people pass it on: 64 hexadecimal digits, which no shell takes for anything else."""
    from zmq.utils import z85

    return bytes(z85.decode(key)).hex()


def from_text(text: str) -> bytes:
    """A key as ZeroMQ has it, Z85, from hexadecimal digits or Z85.

    Raises:
        EngineError: it is no key.
    """
    from zmq.utils import z85

    text = text.strip()
    try:
        if len(text) == 64:
            return bytes(z85.encode(bytes.fromhex(text)))
    except ValueError:
        pass
    if is_key(text):
        return text.encode("ascii")
    raise EngineError(
        "bad_key", "That is not a key: a key has 64 hexadecimal digits.", "Show it there: underdrawing engine key show"
    )


def allow(folder: Path, key: bytes, name: str) -> Path:
    """Let the clients with this public key in, also into an engine that runs."""
    place = folder / "allowed"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / (name + ".key")
    write_private(path, key.decode("ascii") + "\n")
    return path


def allowed(folder: Path) -> List[bytes]:
    """Public keys of clients on other machines, added by hand: keys/allowed/*.key."""
    return list(named(folder).values())


def named(folder: Path) -> Dict[str, bytes]:
    """The same with the names that they were given."""
    found = {}
    for path in sorted((folder / "allowed").glob("*.key")):
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if is_key(text):
            found[path.stem] = text.encode("ascii")
    return found
