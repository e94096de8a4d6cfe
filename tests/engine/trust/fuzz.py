"""Coverage-guided fuzzing of everything that reads bytes from outside: `python -m tests.engine.trust.fuzz TARGET`.

A target takes bytes and may raise the one error that its callers show to people; anything else is a finding. The
corpus lies in `corpus/TARGET`; what a longer run finds to reach new code can be added there. `test_fuzz.py` replays it
in every run of the tests, with changes that need no fuzzer.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MOST_MEMORY = 3000  # MiB: a parser that believes what a file promises is a finding
EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
HOLD = Path(tempfile.gettempdir())


def messages(data: bytes) -> None:
    """A message on the wire: parts with their lengths before them."""
    from underdrawing.client.messages import EngineError, decode
    from underdrawing.client.pipe_codec import read_parts

    stream = io.BytesIO(data)
    while (parts := read_parts(stream)) is not None:
        with contextlib.suppress(EngineError):
            message = decode(parts)
            message.encode()


def frames(data: bytes) -> None:
    """A picture's header, and its pixels behind it."""
    from underdrawing.client.frames import blob_size, check_header
    from underdrawing.client.messages import EngineError

    with contextlib.suppress(ValueError, RecursionError):
        header = json.loads(data)
        if isinstance(header, dict):
            with contextlib.suppress(EngineError):
                assert blob_size(check_header(header)) >= 1


def manifests(data: bytes) -> None:
    """A model's manifest; what is accepted can be written and read again."""
    from underdrawing.store.manifest import Manifest, ManifestError

    with contextlib.suppress(ManifestError):
        manifest = Manifest.from_json(data.decode("utf-8", "replace"))
        assert Manifest.from_json(manifest.to_json()) == manifest


def models(data: bytes) -> None:
    """A model file from somebody else; what is refused leaves nothing behind."""
    from underdrawing.client.messages import EngineError
    from underdrawing.store import model_archive

    with tempfile.TemporaryDirectory(dir=HOLD) as place:
        folder = Path(place)
        (folder / "x.underdrawing").write_bytes(data)
        try:
            model_archive.read(folder / "x.underdrawing", folder / "in", "0123456789ab")
        except EngineError:
            assert not (folder / "in").exists()
        outside = {path.name for path in folder.iterdir()} - {"x.underdrawing", "in"}
        assert not outside, outside


def graphs(data: bytes) -> None:
    """A model's graph."""
    from underdrawing.client.messages import EngineError
    from underdrawing.render.onnx_guard import check_graph
    from underdrawing.store.manifest import Encoding, GraphInput, GraphSpec

    spec = GraphSpec("generator.onnx", (GraphInput("segments", "segments", Encoding.COLOURS, 3),))
    with tempfile.TemporaryDirectory(dir=HOLD) as place:
        path = Path(place) / "generator.onnx"
        path.write_bytes(data)
        with contextlib.suppress(EngineError):
            check_graph(path, spec)


def pictures(data: bytes) -> None:
    """A picture file of any kind; profiles and orientation included."""
    from underdrawing.picture.files import read_picture
    from underdrawing.picture.image import PictureError

    with tempfile.TemporaryDirectory(dir=HOLD) as place:
        path = Path(place) / "picture.png"
        path.write_bytes(data)
        with contextlib.suppress(PictureError):
            picture = read_picture(path)
            assert picture.pixels.nbytes < MOST_MEMORY << 20


def places(data: bytes) -> None:
    """The files that say where an engine is and what a killed one was doing."""
    from underdrawing.client import endpoint
    from underdrawing.client.keys import load_pair
    from underdrawing.client.messages import EngineError
    from underdrawing.daemon.job_queue import Jobs
    from underdrawing.store.blob_store import Spool
    from underdrawing.store.model_library import Library

    with tempfile.TemporaryDirectory(dir=HOLD) as name:
        home = Path(name)
        for folder in ("run", "keys", "models", "training/0123456789ab"):
            (home / folder).mkdir(parents=True)
        spool = Spool(home / "spool")
        key = "1" * 64
        for path in ("run/engine.json", "remote.json", "install.json", "training/0123456789ab/job.json"):
            (home / path).write_bytes(data)
        (home / "keys" / "client.secret").write_bytes(data)
        (home / "keys" / "client.secret").chmod(0o600)
        (home / "spool" / f"{key}.json").write_bytes(data)
        (home / "spool" / f"{key}.raw").write_bytes(b"x")
        endpoint.Connection.read(home)
        endpoint.remote(home)
        with contextlib.suppress(EngineError):
            endpoint.engine_command(home)
        with contextlib.suppress(EngineError):
            load_pair(home / "keys", "client", create=False)
        Jobs(Library(home)).restore()
        spool.has(key)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (messages, frames, manifests, models, graphs, pictures, places)
}


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Some changes of the kinds that break parsers, without any fuzzer."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(5)
        if kind == 0 and changed:
            changed[min(at, len(changed) - 1)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 1:
            del changed[at : at + rng.randrange(1, 40)]
        elif kind == 2:
            changed[at:at] = rng.randbytes(rng.randrange(1, 12))
        elif kind == 3:
            changed[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
            )
        else:
            start = rng.randrange(len(changed) + 1)
            changed[at:at] = changed[start : start + rng.randrange(1, 60)]
    return bytes(changed)


def main() -> None:
    """Fuzz one target with atheris."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("target", choices=list(TARGETS))
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--found", type=Path, default=None, help="a folder for inputs that reach new code")
    given = options.parse_args()
    import atheris

    with atheris.instrument_imports(include=["underdrawing"], enable_loader_override=False):
        pass
    folders = [str(given.found)] if given.found else []
    found = tempfile.mkdtemp(prefix="fuzz-", dir=HOLD)
    words = [
        sys.argv[0],
        f"-max_total_time={given.seconds}",
        "-timeout=20",
        f"-rss_limit_mb={MOST_MEMORY}",
        f"-artifact_prefix={found}{os.sep}",
        *folders,
        *([found] if not folders else []),
        str(CORPUS / given.target),
    ]
    atheris.Setup(words, TARGETS[given.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
