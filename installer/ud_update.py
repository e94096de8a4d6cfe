"""Updating: a new environment is made beside the old one, checked, and put in its place; a broken one never stays.

Three folders stand beside the environment while that lasts: `-new` (being made), `-old` (the former one, until the new
one has passed its check in its place) and `-gone` (being deleted). Renames alone lead from one state to the next, so
whatever an interrupted run leaves is one of a few states, and `settle` knows them all.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ud_env import Environment
from ud_report import InstallError, Reporter


def _beside(environment: Environment, word: str) -> Path:
    return environment.folder.with_name(f"{environment.folder.name}-{word}")


def places(environment: Environment) -> list[Path]:
    """Whatever an interrupted update may have left beside an environment."""
    return [_beside(environment, word) for word in ("new", "old", "gone")]


def settle(environment: Environment, report: Reporter) -> None:
    """Finish or undo an update that was interrupted after it began to change places. Nothing to do: nothing done."""
    _, old, gone = places(environment)
    if gone.exists():
        shutil.rmtree(gone)
    if not old.exists():
        return
    if not environment.folder.exists():
        old.rename(environment.folder)
        report.say("An update was interrupted: the former environment is back in its place.")
        return
    why = environment.check()
    if why:
        _put_back(environment)
        report.warn(f"An update was interrupted and its environment does not work ({why}): the former one is back.")
        return
    _bury(environment, old)
    report.say("An update was interrupted when it was all but done: it is finished now.")


def _bury(environment: Environment, folder: Path) -> None:
    """Delete an environment; once this has begun, nobody takes its remains for a whole one."""
    gone = _beside(environment, "gone")
    folder.rename(gone)
    shutil.rmtree(gone)


def _put_back(environment: Environment) -> None:
    """The former environment in its place again."""
    _, old, gone = places(environment)
    environment.folder.rename(gone)
    old.rename(environment.folder)
    shutil.rmtree(gone)


def _address(folder: Path, final: Path) -> None:
    """Let the programs of an environment know the place where it will be: they name it in full."""
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    before, after = str(folder).encode(), str(final).encode()
    for path in scripts.iterdir():
        if path.is_symlink() or not path.is_file() or path.suffix == ".exe":
            continue
        content = path.read_bytes()
        if before in content and b"\0" not in content:
            path.write_bytes(content.replace(before, after))


def renew(environment: Environment, wanted: str | None, report: Reporter) -> bool:
    """Bring the environment to the lock files of this copy; whether anything changed.

    Raises:
        InstallError: there is nothing to update, or the update failed; the former environment is in its place.
    """
    if not environment.folder.exists():
        raise InstallError("Underdrawing is not installed here.", "Run: python3 installer engine")
    if not environment.ours():
        report.say(f"{environment.folder} was not made by the installer: nothing in it is changed.")
        return False
    state = environment.state()
    tests = "tests" in state.get("steps", {})
    kind = wanted or state.get("kind") or "cpu"
    if not environment.outdated(kind, tests):
        report.say("The environment is what the lock files say.")
        return False
    new, old, _ = places(environment)
    fresh = Environment(new, report, environment.where)
    report.step(f"Making the new environment beside the old one, in {new}")
    try:
        fresh.ensure(kind, tests)
    except InstallError as error:
        broken = fresh.state().get("broken")
        if broken:
            shutil.rmtree(new)
        kept = "The former environment is unchanged."
        raise InstallError(f"The update failed: {error} {kept}", error.hint) from None
    why = fresh.answers()
    if why:
        shutil.rmtree(new)
        raise InstallError(
            f"The update failed: the new engine does not answer ({why}). The former environment is unchanged.",
            "Use the former release of Underdrawing, or run this again later.",
        )
    if state.get("asked"):
        fresh.record(asked=True)
    _address(new, environment.folder)
    environment.folder.rename(old)
    new.rename(environment.folder)
    why = environment.check()
    if why:
        _put_back(environment)
        raise InstallError(
            f"The update failed: the new environment does not work in its place ({why}). The former one is back.",
            "Use the former release of Underdrawing, or run this again later.",
        )
    _bury(environment, old)
    if sys.platform == "win32":
        # The starters of programs there name their Python within themselves: made anew in their place.
        steps = {name: key for name, key in environment.state()["steps"].items() if name != "underdrawing"}
        environment.record(steps=steps)
        environment.ensure(kind, tests)
    return True
