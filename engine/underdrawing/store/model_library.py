"""The model library on disk: a folder a model. A folder is a model when its manifest is there, and not before."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.store.manifest import AT_ONCE, CHECKPOINT_FILE, MANIFEST_FILE, Manifest, ManifestError, Procedure

IDENTITY = re.compile(r"[0-9a-f]{12}\Z")
LONGEST_NAME = 120  # characters
LIVE = "live"  # in a staging folder: a model as far as it is trained


def new_identity() -> str:
    """A fresh model id: 12 hexadecimal digits."""
    return uuid.uuid4().hex[:12]


def sync_file(path: Path) -> None:
    """Make a file's bytes survive a power cut: a name is worth nothing when what it names was never on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut, where the system can."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """A file that is complete or as it was before."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the hash that the manifest promises.

    Raises:
        ManifestError: one is missing or different.
    """
    for name, expected in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            raise ManifestError(f"The model lacks the file {name}.") from None
        if found != expected:
            raise ManifestError(f"The model's file {name} is not the one that was made.")


class Library:
    """The models of a user.

    Args:
        home: the engine's folder; models are in `models`, trainings on their way in `training`.
    """

    def __init__(self, home: Path) -> None:
        self.models, self.training = home / "models", home / "training"
        self._read: dict[str, tuple[tuple[int, int], Manifest]] = {}
        # What was interrupted: deletions, publications, models from elsewhere that were not looked into to the end.
        unneeded = self.models.glob(f"*/{LIVE}")
        for leftover in (*self.models.glob(".*"), *unneeded, *self.training.glob("*.incoming")):
            shutil.rmtree(leftover, ignore_errors=True)

    def all(self) -> list[Manifest]:
        """Every model that can be read, the oldest first; a damaged one does not hide the others."""
        found = []
        for folder in self.models.iterdir():
            with contextlib.suppress(ManifestError):
                if IDENTITY.match(folder.name):
                    found.append(self.load(folder))
        return sorted(found, key=lambda m: (m.created, m.id))

    def load(self, folder: Path, identity: str = "") -> Manifest:
        """A model's manifest, read again only when its file has changed.

        Args:
            folder: of the model.
            identity: of the model, where the folder does not bear it as its name.

        Raises:
            ManifestError: it is damaged or missing.
        """
        try:
            stat = (folder / MANIFEST_FILE).stat()
        except OSError as error:
            raise ManifestError(f"The manifest of {folder.name} cannot be read: {error}") from None
        identity = identity or folder.name
        stamp, known = (stat.st_mtime_ns, stat.st_size), self._read.get(identity)
        if known is None or known[0] != stamp:
            known = stamp, Manifest.load(folder)
            if known[1].id != identity:
                raise ManifestError(f"The manifest of {identity} belongs to another model.")
            self._read[identity] = known
        return known[1]

    def find(self, wanted: str) -> Manifest:
        """A model by its id, the beginning of its id (4 digits at least), or its name (the newest of that name).

        Raises:
            EngineError: there is none, or the beginning fits several.
        """
        if IDENTITY.match(wanted):
            with contextlib.suppress(ManifestError):
                return self.load(self.folder(wanted), wanted)
        models = [*self.all(), *self.unfinished()]
        named = [m for m in models if m.name == wanted]
        begun = [m for m in models if len(wanted) >= 4 and m.id.startswith(wanted)]
        if named:
            return named[-1]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise EngineError("ambiguous", f"Several models begin with {wanted!r}.", "Give more of the id.")
        hint = "List the models with: underdrawing models list"
        raise EngineError("unknown_model", f"There is no model {wanted!r}.", hint)

    def improved(self, manifest: Manifest) -> Manifest:
        """What serves for a draft: what was trained after it, where that is better by measurement; else itself."""
        if manifest.method != "draft":
            return manifest
        later = [m for m in (*self.all(), *self.unfinished()) if m.figures.get("draft") == manifest.id]
        return next((m for m in reversed(later) if m.plan.graphs and m.plan.areas != ()), manifest)

    def folder(self, identity: str) -> Path:
        """Where a model is: in the library, or what can be used already of one that is still being trained."""
        finished = self.models / identity
        live = self.live(identity)
        return live if not finished.exists() and (live / MANIFEST_FILE).is_file() else finished

    def live(self, identity: str) -> Path:
        """Where the worker leaves what can be used already."""
        return self.staging(identity) / LIVE

    def is_finished(self, identity: str) -> bool:
        """Whether a model is in the library."""
        return (self.models / identity / MANIFEST_FILE).is_file()

    def unfinished(self) -> list[Manifest]:
        """Models that are still being trained and can be used already."""
        found = []
        for folder in sorted(self.training.iterdir()):
            with contextlib.suppress(ManifestError):
                if IDENTITY.match(folder.name) and not self.is_finished(folder.name):
                    found.append(self.load(folder / LIVE, folder.name))
        return found

    def summary(self, manifest: Manifest) -> dict[str, Any]:
        """What lists show."""
        size = sum(p.stat().st_size for p in self.folder(manifest.id).iterdir() if p.is_file())
        picture, seconds = manifest.picture, manifest.figures.get("seconds")
        return {
            "id": manifest.id,
            "name": manifest.name,
            "created": manifest.created,
            "method": manifest.method,
            "recipe": manifest.recipe,
            "planes": [p.name for p in manifest.planes],
            "base": str(manifest.figures["base"]) if "base" in manifest.figures else None,
            "tasks": [str(task) for task in manifest.plan.tasks],
            "makes": [str(task) for task in AT_ONCE] if manifest.plan.procedure is Procedure.WRITE else [],
            "width": picture.full_width,
            "height": picture.full_height,
            "region": list(manifest.plan.region),
            "picture_hash": picture.hash,
            "seconds": seconds if isinstance(seconds, int | float) else None,
            "iterations": manifest.figures.get("iterations"),
            "composite": manifest.figures.get("composite"),
            "measured": manifest.figures.get("measured"),
            "bytes": size,
        }

    def details(self, manifest: Manifest) -> dict[str, Any]:
        """Everything about a model."""
        return {**self.summary(manifest), "manifest": asdict(manifest), "folder": str(self.folder(manifest.id))}

    def rename(self, manifest: Manifest, name: str) -> Manifest:
        """Give a model another name."""
        changed = replace(manifest, name=checked_name(name))
        write_text(self.folder(manifest.id) / MANIFEST_FILE, changed.to_json())
        # Names of the same length, changed within one tick of the disk's clock, look alike from outside.
        self._read.pop(manifest.id, None)
        return changed

    def delete(self, manifest: Manifest) -> None:
        """Delete a model: first its name goes, so that a kill in between leaves no half of it."""
        gone = self.models / f".{manifest.id}"
        self.folder(manifest.id).rename(gone)
        self._read.pop(manifest.id, None)
        shutil.rmtree(gone, ignore_errors=True)

    def staging(self, identity: str) -> Path:
        """Where a model grows before it is one."""
        return self.training / identity

    def incoming(self, identity: str) -> Path:
        """Where a model from elsewhere is looked into; nothing there is ever taken for a finished training."""
        return self.training / f"{identity}.incoming"

    def accept(self, identity: str) -> Manifest:
        """Publish a model from elsewhere that was looked into.

        Raises:
            ManifestError: it is not whole.
        """
        self.incoming(identity).rename(self.staging(identity))
        return self.publish(identity)

    def publish(self, identity: str) -> Manifest:
        """Take a finished staging folder into the library.

        Raises:
            ManifestError: it is not finished or not whole.
        """
        staging = self.staging(identity)
        manifest = Manifest.load(staging)
        if manifest.id != identity:
            raise ManifestError("The manifest belongs to another model.")
        check_files(staging, manifest)
        for name in [p.name for p in staging.iterdir()]:
            # What could be used while it was trained stays until there is the model: who asks always finds one of them.
            if name not in manifest.files and name not in (MANIFEST_FILE, LIVE):
                path = staging / name
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name in (*manifest.files, MANIFEST_FILE):
            sync_file(staging / name)
        sync_folder(staging)
        staging.rename(self.models / identity)
        sync_folder(self.models)
        self._read.pop(identity, None)
        shutil.rmtree(self.models / identity / LIVE, ignore_errors=True)
        return manifest

    def keep_base(self, identity: str, folder: Path) -> None:
        """Give a training that goes on from a model what it needs of it, so that the model may be deleted meanwhile."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST_FILE, CHECKPOINT_FILE):
            shutil.copyfile(self.folder(identity) / name, folder / name)

    def staged(self) -> list[tuple[str, dict[str, Any] | None]]:
        """Staging folders with their job descriptions; None where there is none that can be read."""
        found: list[tuple[str, dict[str, Any] | None]] = []
        for folder in sorted(self.training.iterdir()):
            if not folder.is_dir() or not IDENTITY.match(folder.name):
                continue
            try:
                job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
                found.append((folder.name, job if isinstance(job, dict) else None))
            except (OSError, ValueError, RecursionError):
                found.append((folder.name, None))
        return found

    def discard(self, identity: str) -> None:
        """Forget a staging folder, or a model from elsewhere."""
        for folder in (self.staging(identity), self.incoming(identity)):
            shutil.rmtree(folder, ignore_errors=True)


def checked_name(name: object) -> str:
    """A model's name as a person types it.

    Raises:
        EngineError: empty, too long, or with control characters.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        text = f"A model's name has 1 to {LONGEST_NAME} printable characters."
        raise EngineError("bad_name", text, "Choose another name.")
    return name.strip()
