"""Files that hold more than one picture: they are not replaced by one picture alone."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import tifffile
from PIL import Image

from underdrawing.picture import file_formats
from underdrawing.picture.image import PictureError


def check_single(path: Path) -> None:
    """Refuse to replace a file that holds several pages or frames.

    Raises:
        PictureError: with how many there are.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            count, what = _count(file.read(64), path)
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, tifffile.TiffFileError):
        return  # whatever lies there is no picture with pages to lose
    if count > 1:
        text = f"{path.name} holds {count} {what}, and all but one would be lost; write the result to another name."
        raise PictureError(text)


def _count(beginning: bytes, path: Path) -> tuple[int, str]:
    kind = file_formats.kind_of(beginning)
    if kind is file_formats.TIFF:
        with tifffile.TiffFile(path) as file:
            return len(tiff_pages(file)), "pages"
    if kind in (file_formats.PNG, file_formats.WEBP) or (kind is not None and kind.name == "GIF"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(path.read_bytes()), formats=("PNG", "WEBP", "GIF")) as image:
                return int(getattr(image, "n_frames", 1)), "frames"
    return 1, ""


def tiff_pages(file: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """The pages of a TIFF file that are pictures of their own: no thumbnails and no masks.

    A first page is a thumbnail where it says so, or where it is small and a later page of the same shape is at least
    twice as large; then that one, which may lie below the first page, is the picture.
    """
    found: list[tifffile.TiffPage] = []
    for number in range(len(file.pages)):
        page = file.pages[number]
        if isinstance(page, tifffile.TiffFrame):
            page = page.aspage()
        found.append(page)
    below = []
    for page in found:
        below += [sub for sub in (page.pages or []) if isinstance(sub, tifffile.TiffPage)]
    whole = [page for page in found if not int(page.subfiletype) & 5]
    if not whole or (whole == found[:1] and _is_thumbnail(whole[0], below)):
        whole = [page for page in below if not int(page.subfiletype) & 5] or whole or found
    if len(whole) > 1 and _is_thumbnail(whole[0], whole[1:]):
        whole = whole[1:]
    return whole


THUMBNAIL = 512  # pixels of the longer side up to which a first page may be a thumbnail that does not say so


def _is_thumbnail(page: tifffile.TiffPage, others: list[tifffile.TiffPage]) -> bool:
    width, height = page.imagewidth, page.imagelength
    if max(width, height) > THUMBNAIL:
        return False
    for other in others:
        ratio = other.imagewidth / max(width, 1), other.imagelength / max(height, 1)
        if min(ratio) >= 2 and abs(ratio[0] / ratio[1] - 1) < 0.03:
            return True
    return False
