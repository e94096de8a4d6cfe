"""A model's folder: what is written into it, whoever made the model; the manifest last, as it makes it a model."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2

from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.store.manifest import MANIFEST_FILE, Manifest, PictureInfo

PREVIEW_FILE, PREVIEW_SIDE = "preview.png", 320  # pixels, the longer side of the thumbnail in the library


def picture_file(picture: Picture) -> str:
    """The name of the file that holds a model's picture at its own depth."""
    return f"picture.{'tif' if picture.depth in ('f16', 'f32') else 'png'}"


def keep_picture(folder: Path, picture: Picture) -> str:
    """Write the picture that a model knows, transparency included; the file's name."""
    name = picture_file(picture)
    write_picture(folder / name, picture)
    return name


def keep_preview(folder: Path, picture: Picture) -> str:
    """Write a small picture for lists; the file's name. `picture` has 8 bits."""
    width, height = picture.size
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    write_picture(folder / PREVIEW_FILE, Picture(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)))
    return PREVIEW_FILE


def picture_info(picture: Picture, whole: tuple[int, int], white: float) -> PictureInfo:
    """What the manifest says of the training picture; `whole` is the width and height of the one it is a part of."""
    return PictureInfo(
        width=picture.size[0],
        height=picture.size[1],
        full_width=whole[0],
        full_height=whole[1],
        depth=picture.depth,
        channels=picture.pixels.shape[2],
        hash=picture.hash,
        file=picture_file(picture),
        profile_hash=hashlib.sha256(picture.profile).hexdigest() if picture.profile else "",
        linear=picture.linear,
        white=white,
    )


def keep_manifest(folder: Path, manifest: Manifest, names: list[str]) -> None:
    """Write the manifest with the hashes of these files, all at once."""
    whole = replace(manifest, files={name: _sha256(folder / name) for name in names})
    partial = folder / (MANIFEST_FILE + ".partial")
    partial.write_text(whole.to_json(), encoding="utf-8")
    partial.replace(folder / MANIFEST_FILE)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
