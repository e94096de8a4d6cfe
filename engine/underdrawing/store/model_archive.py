"""The portable `.underdrawing` file: a zip of a model without its checkpoint. It contains the picture.

Read as if it came from an enemy: only plain files that the manifest names, sizes limited before anything is unpacked,
hashes compared; the graphs are looked into by the renderer before the model enters the library.
"""

from __future__ import annotations

import errno
import shutil
import struct
import zipfile
import zlib
from dataclasses import asdict, replace
from pathlib import Path

from underdrawing.client import messages
from underdrawing.client.messages import EngineError
from underdrawing.store.manifest import CHECKPOINT_FILE, MANIFEST_FILE, Manifest, ManifestError, plain_name
from underdrawing.store.model_library import check_files, checked_name, sync_file, write_text

MOST_FILES = 32
MOST_MANIFEST = 512 << 10
MOST_BYTES = 4 << 30  # unpacked
MOST_RATIO = 200  # unpacked to packed
MOST_LISTED = 64 << 10  # bytes of the zip's own list of files
END = struct.Struct("<4s4H2LH")  # the zip's end record
SUFFIXES = (".onnx", ".safetensors", ".png", ".tif", ".json")
DAMAGED = "It is not a model file, or it is damaged."
LEFT_BEHIND = (CHECKPOINT_FILE,)
WORD = "This file contains the picture that it was trained on; give it only to people who may have that picture."
# Comments that a model file may end with: files of earlier versions have earlier words, and must open.
COMMENTS = (
    b"",
    WORD.encode("ascii"),
    b"This file contains the picture that was learnt; give it only to people who may have that picture.",
)


def write(folder: Path, manifest: Manifest, target: Path) -> int:
    """Pack a model. Returns the size of the file in bytes."""
    slim = replace(manifest, files={k: v for k, v in manifest.files.items() if k not in LEFT_BEHIND})
    partial = target.with_name(target.name + ".partial")
    # Pictures and weights do not shrink; storing them is fast.
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = WORD.encode("ascii")
            archive.writestr(MANIFEST_FILE, slim.to_json())
            for name in slim.files:
                archive.write(folder / name, name)
        sync_file(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def read(source: Path, folder: Path, identity: str) -> Manifest:
    """Unpack a file into an empty folder, under a new identity.

    Raises:
        EngineError: anything about it is not as our own files are; nothing is left behind.
    """
    try:
        _check_end(source)
        folder.mkdir(parents=True)
        with zipfile.ZipFile(source) as archive:
            return _unpack(archive, folder, identity)
    except EngineError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except ManifestError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused(str(error)) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, RuntimeError, ValueError, EOFError):
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused(DAMAGED) from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno == errno.EINVAL:  # its list of files names a place before the file's beginning
            raise _refused(DAMAGED) from None
        text = f"The model could not be stored: {error.strerror or error}."
        raise EngineError("disk_full", text, "Make room on the disk that holds the engine's folder.") from None


def _refused(text: str) -> EngineError:
    return EngineError("bad_model", f"This model file is refused. {text}", "Ask for the file again.")


def _check_end(source: Path) -> None:
    """Refuse a list of files that is too long before anything reads it: it would fill the memory.

    The end record must be where our own files have it, so that no other reader finds another one.
    """
    with source.open("rb") as file:
        size = file.seek(0, 2)
        for comment in COMMENTS:
            file.seek(max(0, size - END.size - len(comment)))
            tail = file.read()
            if tail[:4] != b"PK\x05\x06" or tail[END.size :] != comment:
                continue
            _, disk, first, here, entries, listed, start, length = END.unpack(tail[: END.size])
            file.seek(max(0, size - len(tail) - 20))
            large = file.read(4) == b"PK\x06\x07"  # a second, 64-bit end record; ours never need one
            plain = disk == first == 0 and here == entries and length == len(comment) and start + listed <= size
            if plain and not large and entries <= MOST_FILES and listed <= MOST_LISTED:
                return
            raise _refused("Its list of files is not as ours are.")
    raise _refused(DAMAGED)


def _unpack(archive: zipfile.ZipFile, folder: Path, identity: str) -> Manifest:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise _refused("It has too many files.")
    names = [plain_name(entry.filename) for entry in entries]
    if len({name.casefold() for name in names}) != len(names) or MANIFEST_FILE not in names:
        raise _refused("It has no manifest, or names twice.")
    for entry in entries:
        kind = entry.external_attr >> 28
        packed = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if kind not in (0, 0o10) or entry.is_dir() or entry.flag_bits & 1 or not packed:
            raise _refused("It holds something other than plain files.")
        if not entry.filename.endswith(SUFFIXES):
            raise _refused(f"It holds {entry.filename[:40]!r}, which is no part of a model.")
        if entry.file_size > MOST_RATIO * max(entry.compress_size, 1) + (1 << 20):
            raise _refused("It unpacks to far more than it is.")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _refused("It unpacks to more than 4 GiB.")
    by_name = dict(zip(names, entries, strict=True))
    if by_name[MANIFEST_FILE].file_size > MOST_MANIFEST:
        raise _refused("Its manifest is too large.")
    with archive.open(MANIFEST_FILE) as file:
        manifest = Manifest.from_json(file.read(MOST_MANIFEST).decode("utf-8", "replace"))
    if set(manifest.files) != set(names) - {MANIFEST_FILE}:
        raise _refused("Its files are not those that its manifest names.")
    for name in manifest.files:
        left = by_name[name].file_size
        with archive.open(by_name[name]) as source, (folder / name).open("xb") as target:
            while block := source.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise _refused("A file is larger than its declared size.")
                target.write(block)
    check_files(folder, manifest)
    needed = {manifest.picture.file, *(graph.file for graph in (*manifest.plan.graphs, *manifest.plan.half))}
    if not needed <= manifest.files.keys():
        raise _refused("It lacks a file that its manifest speaks of.")
    manifest = replace(manifest, id=identity, name=_name(manifest.name, identity))
    try:
        # What no client could be told about later is refused now.
        messages.decode(messages.reply(identity, {"manifest": asdict(manifest)}).encode())
    except EngineError:
        raise _refused("Its manifest is not as ours are.") from None
    write_text(folder / MANIFEST_FILE, manifest.to_json())
    return manifest


def _name(name: str, identity: str) -> str:
    try:
        return checked_name(name)
    except EngineError:
        return f"model {identity[:4]}"
