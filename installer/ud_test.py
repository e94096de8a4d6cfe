"""`python3 installer test`: the linters, the type checker and every suite that this machine can run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ud_env import Environment
from ud_hardware import ROOT, gpu
from ud_report import InstallError, Reporter

HOSTS = ("gimp", "krita")
SUITES = (*HOSTS, "engine", "installer")
# Two processes: hosts come first, in one of them, as their tests wait much; the other computes (`tests/conftest.py`).
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
# What is trained in tests is too small for more, and several processes compute.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
# What `--quick` gives to pytest; the linters take about as long when their caches are warm.
QUICK_SECONDS = 40
# pytest's own word for "no test was collected".
NO_TESTS = 5


@dataclass
class Plan:
    """Which suites run, and what will not be tested here and why."""

    folders: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    """Suites that must have run for the whole to count as passed."""


def plan(root: Path, only: str | None, without_hosts: bool, strict: bool) -> Plan:
    """What to run of what exists in `root`. strict (CI): a host's suite that exists must run."""
    made = Plan()
    for suite in SUITES:
        folder = root / "tests" / suite
        if not folder.is_dir():
            continue
        host = suite in HOSTS
        if host and strict:
            made.required.append(suite)
        if only is not None and suite != only:
            made.untested.append(f"{suite}: left out by --only {only}")
        elif host and without_hosts:
            made.untested.append(f"{suite}: left out by --without-hosts")
        else:
            made.folders.append(f"tests/{suite}")
    return made


def weights_folder() -> Path:
    """Where the tests keep the weights from one run to the next (`$UNDERDRAWING_WEIGHTS` to name another)."""
    given = os.environ.get("UNDERDRAWING_WEIGHTS")
    if given:
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    return Path(cache) / "underdrawing" / "weights"


def make_hosts(environment: Environment, made: Plan) -> None:
    """Get GIMP and Krita for their suites; where that is impossible (the suites skip themselves), list the reason."""
    script = ROOT / "tests" / "hosts" / "debian.py"
    suites = [suite for suite in HOSTS if f"tests/{suite}" in made.folders]
    if not suites or not script.is_file():
        return
    environment.report.step("GIMP and Krita for the tests")
    done = subprocess.run([sys.executable, str(script)], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return
    why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    environment.report.warn(why)
    made.untested += [f"{suite}: {why}" for suite in suites]


def check(environment: Environment, report: Reporter) -> list[str]:
    """Run ruff, mypy and import-linter; the names of those that complained (their output is printed)."""
    failed = []
    places = ("engine", "installer", "plugin_gimp", "plugin_krita", "tests", "hatch_build.py")
    linted = [place for place in places if (ROOT / place).exists()]
    checks: dict[str, list[list[str]]] = {
        "ruff check": [["-m", "ruff", "check", *linted]],
        "ruff format": [["-m", "ruff", "format", "--check", "--quiet", *linted]],
        "mypy": [["-m", "mypy"], ["-m", "mypy", "installer"]],
    }
    if "[tool.importlinter]" in (ROOT / "pyproject.toml").read_text(encoding="utf-8"):
        checks["import-linter"] = [["-c", "from importlinter.cli import lint_imports_command as run; run()"]]
    for name, commands in checks.items():
        report.step(name)
        codes = [environment.run(command) for command in commands]
        if any(codes):
            failed.append(name)
    return failed


def changed_files() -> list[str]:
    """The files that differ from the last commit; those of the last commit where none does. Empty without git."""
    for words in (["diff", "--name-only", "HEAD"], ["diff", "--name-only", "HEAD~1"]):
        commands = [["git", *words], ["git", "ls-files", "--others", "--exclude-standard"]]
        done = [subprocess.run(c, cwd=ROOT, capture_output=True, text=True, check=False) for c in commands]
        found = [name for answer in done if answer.returncode == 0 for name in answer.stdout.splitlines()]
        if found:
            return found
    return []


def tests_of(files: list[str], root: Path) -> list[str]:
    """The folders of tests that belong to files of the project, each once: `engine/underdrawing/ROOM/…` has
    `tests/engine/ROOM`, a plug-in `tests/gimp` or `tests/krita`."""
    found: dict[str, None] = {}
    for file in files:
        parts = Path(file).parts
        if parts[0] == "tests":
            place = Path(*parts[:-1])
        elif parts[0] == "engine":
            place = Path("tests", "engine", *parts[2:-1])
        else:
            place = Path("tests", parts[0].replace("plugin_", ""))
        while not (root / place).is_dir():
            place = place.parent
        if len(place.parts) > 1:
            found[place.as_posix()] = None
    return [place for place in found if not any(Path(other) in Path(place).parents for other in found)]


def quick(environment: Environment, report: Reporter, place: str, more: list[str]) -> int:
    """The linters, and a minute of the tests of one folder; the exit code.

    place: a folder of `tests` (`engine/picture`, `installer`); empty for those that belong to what was changed.
    """
    folders = [f"tests/{place}"] if place else tests_of(changed_files(), ROOT)
    missing = [folder for folder in folders if not (ROOT / folder).exists()]
    if missing or not folders:
        raise InstallError(
            f"There is no {missing[0]}." if missing else "Nothing was changed here, so there is nothing to test.",
            "Name a folder of tests, for example: python3 installer test --quick engine/picture",
        )
    failed = check(environment, report)
    notes = {"untested": [f"--quick ran {', '.join(folders)} only, for {QUICK_SECONDS} seconds"], "failed": failed}
    variables = {"UNDERDRAWING_TEST_NOTES": json.dumps(notes), "UNDERDRAWING_TEST_SECONDS": str(QUICK_SECONDS)}
    variables |= {"UNDERDRAWING_WEIGHTS": str(weights_folder()), **ONE_THREAD}
    report.step("pytest " + " ".join(folders))
    words = ["-m", "pytest", *folders, "-m", "not long", "--failed-first", "-q", *SIDE_BY_SIDE, *more]
    code = environment.run(words, variables)
    return 1 if failed and code == 0 else code


def test(
    environment: Environment,
    report: Reporter,
    *,
    only: str | None,
    long: bool,
    without_hosts: bool,
    more: list[str],
) -> int:
    """Run everything; the exit code. pytest's closing line comes last, the list of what was not tested just before."""
    strict = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    made = plan(ROOT, only, without_hosts, strict)
    folder = weights_folder()
    report.step(f"Weights for the tests, kept in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    missing = environment.fetch_weights(UNDERDRAWING_WEIGHTS=str(folder)).why
    if missing:
        made.untested.append(f"whatever needs pretrained weights: {missing}")
    make_hosts(environment, made)
    if gpu() is None:
        made.untested.append("CUDA: no NVIDIA card answers here")
    if not long:
        made.untested.append("the long tests: run with --long")
    failed = [] if only not in (None, "installer", "engine") else check(environment, report)
    notes = {"untested": made.untested, "required": made.required, "failed": failed}
    chosen = [] if long else ["-m", "not long"]
    # Where much is broken, the first failures say it; the rest would only take the time that CI has.
    watched = ["--durations=25", "--maxfail=15"] if strict else []
    arguments = ["-m", "pytest", *made.folders, *chosen, *watched, *SIDE_BY_SIDE, *more]
    variables = {"UNDERDRAWING_TEST_NOTES": json.dumps(notes), "UNDERDRAWING_WEIGHTS": str(folder), **ONE_THREAD}
    report.step("pytest " + " ".join(made.folders))
    code = environment.run(arguments, variables)
    if code == NO_TESTS:
        print("No test was found: that is a failure.", file=sys.stderr)
    return 1 if failed and code == 0 else code
