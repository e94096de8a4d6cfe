"""Every write of the engine, broken at every moment: killed before, between and after; a disk that refuses."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.handmade_model import IDENTITY, write_model
from underdrawing.client.endpoint import Connection, make_home, write_private
from underdrawing.client.frames import Frame
from underdrawing.client.keys import load_pair
from underdrawing.client.messages import EngineError
from underdrawing.daemon.job_queue import Job, Jobs, State
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture, PictureError
from underdrawing.store import model_archive
from underdrawing.store.blob_store import Spool, Upload
from underdrawing.store.manifest import CHECKPOINT_FILE, MANIFEST_FILE, ManifestError
from underdrawing.store.model_library import Library, check_files
from underdrawing.train import checkpoint

from .faults import Fault, every_fault, expect

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected into forked processes")
expect(EngineError, ManifestError, PictureError)

OTHER = "ba9876543210"
Work = Callable[[], None]
Check = Callable[[Path, bool], None]


class Scene:
    """A way of writing: how it begins, what is done, and what must hold whatever happened."""

    def begin(self, folder: Path) -> None:
        """Lay the folder."""

    def work(self, folder: Path) -> None:
        """What is broken."""
        raise NotImplementedError

    def holds(self, folder: Path, done: bool) -> None:
        """Assert what must be so after the next start; `done` says that nothing was broken."""
        raise NotImplementedError


def whole(library: Library, identity: str) -> bool:
    """Whether a model is in the library; one that is there has all its files as they were made."""
    if not library.is_finished(identity):
        return False
    check_files(library.folder(identity), library.find(identity))
    return True


class Publish(Scene):
    """A finished training enters the library."""

    def begin(self, folder: Path) -> None:
        write_model(folder / "training" / IDENTITY)
        (folder / "training" / IDENTITY / "inputs").mkdir()
        (folder / "training" / IDENTITY / "inputs" / "a.raw").write_bytes(b"picture")

    def work(self, folder: Path) -> None:
        Library(folder).publish(IDENTITY)

    def holds(self, folder: Path, done: bool) -> None:
        library = Library(folder)
        Jobs(library).restore()
        assert whole(library, IDENTITY), "a finished training was lost"
        assert not (library.folder(IDENTITY) / "inputs").exists()


class Rename(Scene):
    """A model gets another name."""

    def begin(self, folder: Path) -> None:
        write_model(folder / "models" / IDENTITY)

    def work(self, folder: Path) -> None:
        library = Library(folder)
        library.rename(library.find(IDENTITY), "moon")

    def holds(self, folder: Path, done: bool) -> None:
        library = Library(folder)
        assert whole(library, IDENTITY)
        assert library.find(IDENTITY).name in (("moon",) if done else ("sun", "moon"))


class Delete(Scene):
    """A model is deleted; its neighbour stays."""

    def begin(self, folder: Path) -> None:
        write_model(folder / "models" / IDENTITY)
        write_model(folder / "models" / OTHER, OTHER, "star")

    def work(self, folder: Path) -> None:
        library = Library(folder)
        library.delete(library.find(IDENTITY))

    def holds(self, folder: Path, done: bool) -> None:
        library = Library(folder)
        assert whole(library, OTHER)
        there = whole(library, IDENTITY)
        assert not (there and done)
        assert [m.id for m in library.all()] == ([IDENTITY, OTHER] if there else [OTHER])
        assert not list((folder / "models").glob(".*")), "half a deletion is finished at the next start"


class Receive(Scene):
    """A picture arrives in two parts."""

    pixels = np.random.default_rng(3).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    frame = Frame(50, 40, "RGB", "u8", pixels.tobytes())

    def work(self, folder: Path) -> None:
        incoming = Upload(Spool(folder / "spool"), self.frame.header())
        data = bytes(self.frame.blob())
        incoming.add(0, data[:100])
        incoming.add(100, data[100:])

    def holds(self, folder: Path, done: bool) -> None:
        spool = Spool(folder / "spool")
        spool.clean()
        assert not list((folder / "spool").glob("*.partial"))
        if spool.has(self.frame.hash):
            stored = spool.path(self.frame.hash).read_bytes()
            assert stored == bytes(self.frame.blob()), "a picture with other pixels than were sent"
        else:
            assert not done
            spool.put(self.frame.header(), self.frame.blob())
            assert spool.has(self.frame.hash)


class Queue(Scene):
    """A training is queued, with its inputs linked out of the spool; then it is paused."""

    frame = Receive.frame

    def begin(self, folder: Path) -> None:
        Spool(folder / "spool").put(self.frame.header(), self.frame.blob())

    def work(self, folder: Path) -> None:
        library = Library(folder)
        Spool(folder / "spool").link(self.frame.hash, library.staging(IDENTITY) / "inputs")
        jobs = Jobs(library)
        job = Job("job", IDENTITY, "sun", {"method": "draft"})
        jobs.add(job)
        job.state = State.PAUSED
        jobs.store(job)

    def holds(self, folder: Path, done: bool) -> None:
        library = Library(folder)
        jobs = Jobs(library)
        jobs.restore()
        if jobs.jobs:
            inputs = Spool(library.staging(IDENTITY) / "inputs")
            assert bytes(inputs.path(self.frame.hash).read_bytes()) == bytes(self.frame.blob())
            assert jobs.find("job").state in (("paused",) if done else ("queued", "paused"))
        else:
            assert not done
            assert not library.staged(), "a leftover that nobody knows"


class Pack(Scene):
    """A model is packed over an older file of the same name."""

    def begin(self, folder: Path) -> None:
        write_model(folder / "models" / IDENTITY)
        (folder / "sun.underdrawing").write_bytes(b"an older file")

    def work(self, folder: Path) -> None:
        library = Library(folder)
        model_archive.write(library.folder(IDENTITY), library.find(IDENTITY), folder / "sun.underdrawing")

    def holds(self, folder: Path, done: bool) -> None:
        target = folder / "sun.underdrawing"
        if target.read_bytes() == b"an older file":
            assert not done
            return
        model_archive.read(target, folder / "read again", OTHER)
        assert whole(Library(folder), IDENTITY)


class Unpack(Scene):
    """A model from elsewhere enters the library."""

    def begin(self, folder: Path) -> None:
        manifest = write_model(folder / "elsewhere")
        model_archive.write(folder / "elsewhere", manifest, folder / "sun.underdrawing")

    def work(self, folder: Path) -> None:
        library = Library(folder)
        model_archive.read(folder / "sun.underdrawing", library.incoming(OTHER), OTHER)
        library.accept(OTHER)

    def holds(self, folder: Path, done: bool) -> None:
        library = Library(folder)
        Jobs(library).restore()
        assert whole(library, OTHER) or not done
        assert not list((folder / "training").iterdir()), "half a model stayed"


class Keys(Scene):
    """Keys are made, and clients are told where the engine is."""

    def begin(self, folder: Path) -> None:
        make_home(folder)

    def work(self, folder: Path) -> None:
        public, _ = load_pair(folder / "keys", "engine", create=True)
        load_pair(folder / "keys", "client", create=True)
        Connection("tcp://127.0.0.1:1234", public.decode(), os.getpid(), 1, "1").write(folder)

    def holds(self, folder: Path, done: bool) -> None:
        for name in ("engine", "client"):
            made = load_pair(folder / "keys", name, create=True)
            assert load_pair(folder / "keys", name, create=False) == made
            assert (folder / "keys" / f"{name}.secret").stat().st_mode & 0o777 == 0o600
        assert Connection.read(folder) is not None or not done
        for path in (folder / "keys").glob("*.partial"):
            assert path.stat().st_mode & 0o077 == 0, "half a key that others can read"


class Checkpoint(Scene):
    """A run writes how far it has come over the checkpoint before."""

    def begin(self, folder: Path) -> None:
        checkpoint.save(folder / CHECKPOINT_FILE, {"w": torch.zeros(2000)}, checkpoint.Standing(10, 1.0))

    def work(self, folder: Path) -> None:
        checkpoint.save(folder / CHECKPOINT_FILE, {"w": torch.ones(2000)}, checkpoint.Standing(20, 2.0))

    def holds(self, folder: Path, done: bool) -> None:
        found = checkpoint.load(folder / CHECKPOINT_FILE, "")
        assert found is not None, "a checkpoint was lost"
        state, standing = found
        assert standing.iteration in ((20,) if done else (10, 20))
        assert bool((state["w"] == (standing.iteration == 20)).all())


class Save(Scene):
    """A result replaces an older picture of the same name."""

    old, new = (Picture(np.full((20, 30, 3), level, np.uint8)) for level in (10, 200))

    def begin(self, folder: Path) -> None:
        write_picture(folder / "result.png", self.old)

    def work(self, folder: Path) -> None:
        write_picture(folder / "result.png", self.new)

    def holds(self, folder: Path, done: bool) -> None:
        level = int(read_picture(folder / "result.png").pixels[0, 0, 0])
        assert level in ((200,) if done else (10, 200))


class Private(Scene):
    """The plug-ins' way to the engine is written anew."""

    def begin(self, folder: Path) -> None:
        write_private(folder / "install.json", json.dumps({"python": "old"}))

    def work(self, folder: Path) -> None:
        write_private(folder / "install.json", json.dumps({"python": "new"}))

    def holds(self, folder: Path, done: bool) -> None:
        found = json.loads((folder / "install.json").read_text())["python"]
        assert found in (("new",) if done else ("old", "new"))


SCENES = [Publish, Rename, Delete, Receive, Queue, Pack, Unpack, Keys, Checkpoint, Save, Private]


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.__name__)
def test_nothing_is_lost_whatever_happens_to_the_disk(tmp_path: Path, kind: type[Scene], fault: Fault) -> None:
    scene, numbers = kind(), itertools.count()

    def make() -> tuple[Path, Work]:
        folder = tmp_path / f"{next(numbers)} ü"
        for name in ("models", "training", "spool", "run", "keys", "logs"):
            (folder / name).mkdir(parents=True)
        scene.begin(folder)
        return folder, lambda: scene.work(folder)

    changes = 0
    for at, folder, reached, said in every_fault(make, fault):
        assert not said, f"at change {at}: {said}"
        scene.holds(folder, done=not reached)
        shutil.rmtree(folder)
        changes = at
    assert changes >= 2, "the layer heard of no change"


def test_the_layer_breaks_what_it_is_told_to(tmp_path: Path) -> None:
    """Proof that these tests can fail: a file written in place is found half written."""
    found = set()

    def make() -> tuple[Path, Work]:
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        (place / "file").write_text("before")
        (place / MANIFEST_FILE).write_text("x")

        def work() -> None:
            (place / "file").write_text("a text that is written in place")
            (place / MANIFEST_FILE).unlink()

        return place, work

    for _, folder, _, said in every_fault(make, Fault.POWER):
        assert not said
        found.add((folder / "file").read_text())
    assert found == {"before", "a text that is ", "a text that is written in place"}
