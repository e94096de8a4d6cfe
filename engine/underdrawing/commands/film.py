"""Reading and writing clips: folders of pictures, films, GIFs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from underdrawing.commands import files, output

if TYPE_CHECKING:
    import numpy as np

    from underdrawing.picture.image import Picture
    from underdrawing.picture.palette import Palette, Unseen
    from underdrawing.picture.primitive import Primitive


def pictures_of(source: Path) -> Iterator[Picture]:
    """The frames of a folder (by file name) or of a film.

    Raises:
        PictureError: nothing there that can be read.
    """
    from underdrawing.picture.files import read_picture
    from underdrawing.picture.folder import PICTURES
    from underdrawing.picture.image import Picture, PictureError

    if source.is_dir():
        found = sorted(file for file in source.iterdir() if file.suffix.lower() in PICTURES)
        if not found:
            raise PictureError(f"The folder {source} has no pictures.")
        for file in found:
            yield read_picture(file)
        return
    import cv2

    if not source.is_file():
        raise PictureError(f"There is no folder and no film {source}.")
    film = cv2.VideoCapture(str(source))
    try:
        good, shot = film.read()
        if not good:
            raise PictureError(f"{source.name} is no film that can be read here; give a folder of pictures.")
        while good:
            yield Picture(cv2.cvtColor(shot, cv2.COLOR_BGR2RGB))
            good, shot = film.read()
    finally:
        film.release()


def drawings_of(source: Path, palette: Palette | None) -> Iterator[tuple[Primitive, list[Unseen]]]:
    """Each frame's underdrawing, and the colours that the palette lacks.

    In a folder, files that belong together (`1.segments.png`, `1.edges.png`) make one frame.

    Raises:
        PictureError: nothing there that can be read.
    """
    from underdrawing.picture.folder import PICTURES
    from underdrawing.picture.primitive import Plane, Primitive, read_drawn

    if source.is_dir():
        names: dict[Path, None] = {}
        for file in sorted(file for file in source.iterdir() if file.suffix.lower() in PICTURES):
            stem = file.with_suffix("")
            together = stem.suffix.removeprefix(".") in set(Plane)
            names[stem.with_suffix(".png") if together else file] = None
        for name in names:
            yield read_drawn(name, palette)
        if names:
            return
    for shot in pictures_of(source):
        yield Primitive.from_planes({"drawn": shot.to_bytes()}, palette)


class Film:
    """Writes frames into an .mp4, a .gif or a folder of PNG files. The file appears when it is complete."""

    def __init__(self, target: Path, fps: float) -> None:
        self.target, self.fps = target, fps
        self.kind = target.suffix.lower()
        if self.kind not in (".mp4", ".gif", ""):
            raise output.wrong(f"'{target.name}' is no clip: write .mp4, .gif, or the name of a folder.")
        self._scratch = target.resolve().with_name(f".{target.stem}.partial{target.suffix}")
        self._writer: Any = None
        self._frames: list[Any] = []
        self._count = 0

    def __enter__(self) -> Film:
        from underdrawing.picture.atomic_write import check_target

        if self.kind == "":
            files.make_folder(self.target)
        else:
            check_target(self.target)
        return self

    def add(self, rgb: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8; all of one size."""
        import cv2
        import numpy as np

        self._count += 1
        if self.kind == "":
            from underdrawing.picture.files import write_picture
            from underdrawing.picture.image import Picture

            write_picture(self.target / f"{self._count:05d}.png", Picture(rgb))
        elif self.kind == ".gif":
            from PIL import Image

            self._frames.append(Image.fromarray(rgb))
        else:
            if self._writer is None:
                height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
                self._size = (width, height)
                code = cv2.VideoWriter.fourcc(*"mp4v")
                self._writer = cv2.VideoWriter(str(self._scratch), code, self.fps, self._size)
                if not self._writer.isOpened():
                    raise OSError(f"OpenCV cannot write films here; name a folder in place of {self.target.name}")
            even = np.ascontiguousarray(rgb[: self._size[1], : self._size[0], ::-1])
            self._writer.write(even)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        if kind is not None or self._count == 0:
            self._scratch.unlink(missing_ok=True)
            return
        if self.kind == ".gif":
            first, *rest = self._frames
            duration = round(1000 / self.fps)
            first.save(self._scratch, "GIF", save_all=True, append_images=rest, duration=duration, loop=0)
        if self.kind:
            from underdrawing.picture.atomic_write import put_in_place

            put_in_place(self._scratch, self.target)
