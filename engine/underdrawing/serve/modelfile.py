"""The portable `.underdrawing` file: a zip of a model without its checkpoint. It contains the picture.

Read as if it came from an enemy: only plain files that the manifest names, sizes limited before anything is unpacked,
hashes compared; the graphs are looked into by the renderer before the model enters the library.
"""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

from underdrawing.link.messages import EngineError
from underdrawing.manifest import MANIFEST_FILE, Manifest, ManifestError, plain_name
from underdrawing.serve.library import check_files

MOST_FILES = 32
MOST_MANIFEST = 4 << 20
MOST_BYTES = 4 << 30  # unpacked
MOST_RATIO = 200  # unpacked to packed
LEFT_BEHIND = ("checkpoint.safetensors",)
WORD = "This file contains the picture that was learnt; give it only to people who may have that picture."


def write(folder: Path, manifest: Manifest, target: Path) -> int:
    """Pack a model. Returns the size of the file in bytes."""
    slim = replace(manifest, files={k: v for k, v in manifest.files.items() if k not in LEFT_BEHIND})
    partial = target.with_name(target.name + ".partial")
    # Pictures and weights do not shrink; storing them is fast.
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = WORD.encode("ascii")
        archive.writestr(MANIFEST_FILE, slim.to_json())
        for name in slim.files:
            archive.write(folder / name, name)
    partial.replace(target)
    return target.stat().st_size


def read(source: Path, folder: Path, identity: str) -> Manifest:
    """Unpack a file into an empty folder, under a new identity.

    Raises:
        EngineError: anything about it is not as our own files are; nothing is left behind.
    """
    try:
        folder.mkdir(parents=True)
        with zipfile.ZipFile(source) as archive:
            return _unpack(archive, folder, identity)
    except EngineError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except ManifestError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused(str(error)) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused("It is not a model file, or it is damaged.") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        text = f"The model could not be stored: {error.strerror or error}."
        raise EngineError("disk_full", text, "Make room on the disk that holds the engine's folder.") from None


def _refused(text: str) -> EngineError:
    return EngineError("bad_model", f"This model file is refused. {text}", "Ask for the file again.")


def _unpack(archive: zipfile.ZipFile, folder: Path, identity: str) -> Manifest:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise _refused("It has too many files.")
    names = [plain_name(entry.filename) for entry in entries]
    if len(set(names)) != len(names) or MANIFEST_FILE not in names:
        raise _refused("It has no manifest, or names twice.")
    for entry in entries:
        kind = entry.external_attr >> 28
        if kind not in (0, 0o10) or entry.is_dir() or entry.flag_bits & 1:
            raise _refused("It holds something other than plain files.")
        if entry.file_size > MOST_RATIO * max(entry.compress_size, 1) + (1 << 20):
            raise _refused("It unpacks to far more than it is.")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _refused("It unpacks to more than 4 GiB.")
    by_name = dict(zip(names, entries, strict=True))
    if by_name[MANIFEST_FILE].file_size > MOST_MANIFEST:
        raise _refused("Its manifest is too large.")
    text = archive.read(MANIFEST_FILE).decode("utf-8", "replace")
    manifest = Manifest.from_json(text)
    if set(manifest.files) != set(names) - {MANIFEST_FILE}:
        raise _refused("Its files are not those that its manifest names.")
    for name in manifest.files:
        left = by_name[name].file_size
        with archive.open(by_name[name]) as source, (folder / name).open("xb") as target:
            while block := source.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise _refused("A file is larger than it says.")
                target.write(block)
    check_files(folder, manifest)
    manifest = replace(manifest, id=identity)
    (folder / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return manifest
