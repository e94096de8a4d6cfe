"""What the installer knows: lock files, sources, cards, Pythons, and what it makes of pip's words."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import ud_hardware
import ud_lock
import ud_main
import ud_pip
import ud_python
import ud_report
from tests.installer.conftest import INSTALLER, ROOT

LOCKS = INSTALLER / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(name: str) -> dict[str, list[Requirement]]:
    """A lock file's requirements by package."""
    text = (LOCKS / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.split(" --hash")[0])
            found.setdefault(requirement.name, []).append(requirement)
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{requirement.name} has no hash in {name}"
    return found


@pytest.mark.parametrize("file", sorted(p.name for p in INSTALLER.glob("*.py")))
def test_every_file_can_be_read_by_python_3_9(file: str) -> None:
    ast.parse((INSTALLER / file).read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("file", sorted(p.stem for p in INSTALLER.glob("*.py")))
def test_its_modules_shadow_nobody(file: str) -> None:
    assert file == "__main__" or file.startswith("ud_")


def test_it_imports_the_standard_library_alone() -> None:
    allowed = set(sys.stdlib_module_names) | {p.stem for p in INSTALLER.glob("ud_*.py")}
    for file in INSTALLER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file.name} imports relatively"
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= allowed, file.name


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_the_locks_hold_what_the_project_asks_for(kind: str) -> None:
    found = locked(f"{kind}.txt")
    torch = locked("torch.txt")
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"][kind]):
        wanted = Requirement(text)
        versions = [next(iter(r.specifier)).version for r in {**found, **torch}.get(wanted.name, [])]
        assert versions, f"{kind}.txt lacks {wanted.name}: run `python3 installer lock`"
        assert all(wanted.specifier.contains(version) for version in versions), text
    other = {"cpu": "onnxruntime-gpu", "cuda": "onnxruntime"}[kind]
    assert other not in found


def test_the_cpu_lock_has_nothing_of_cuda() -> None:
    assert [name for name in locked("cpu.txt") if re.match("nvidia|cuda|triton|torch", name)] == []
    assert "nvidia-cudnn-cu13" in locked("cuda.txt")


def test_the_test_lock_follows_the_projects_extra() -> None:
    asked = {str(Requirement(t)) for t in PROJECT["optional-dependencies"]["test"]}
    written = (LOCKS / "test.in").read_text(encoding="utf-8").splitlines()
    assert {str(Requirement(line)) for line in written if not line.startswith("#")} == asked


def test_packages_in_several_locks_have_one_version() -> None:
    together: dict[str, set[str]] = {}
    for name in ("tools.txt", "cpu.txt", "cuda.txt", "test.txt"):
        for package, requirements in locked(name).items():
            for requirement in requirements:
                key = f"{package} {requirement.marker or ''}"
                together.setdefault(key, set()).add(str(requirement.specifier))
    assert {package: found for package, found in together.items() if len(found) > 1} == {}


def test_no_lock_names_a_host() -> None:
    for lock in LOCKS.iterdir():
        assert "://" not in lock.read_text(encoding="utf-8"), lock.name


def test_the_lock_commands_write_every_lock() -> None:
    written = {Path(command[command.index("--output-file") + 1]).name for command in ud_lock.commands()}
    assert written == {p.name for p in LOCKS.glob("*.txt")}
    assert all({"--universal", "--generate-hashes"} <= set(command) for command in ud_lock.commands())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("NVIDIA GeForce RTX 4070, 581.15, 12282, 8.9\n", "cuda", "RTX 4070"),
        ("NVIDIA H200, 580.65.06, 143771, 9.0\nNVIDIA H200, 580.65.06, 143771, 9.0\n", "cuda", "140 GB"),
        ("NVIDIA GeForce GTX 1080, 581.15, 8192, 6.1\n", "cpu", "too old"),
        ("NVIDIA GeForce RTX 3060, 535.183.01, 12288, 8.6\n", "cpu", "Update the driver"),
        ("Failed to initialize NVML: Driver/library version mismatch\n", "cpu", "No NVIDIA card answers"),
        ("", "cpu", "No NVIDIA card answers"),
    ],
)
def test_the_kind_follows_card_and_driver(answer: str, kind: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    choice = ud_hardware.choose(ud_hardware.parse_gpu(answer))
    assert choice.kind == kind
    assert words in choice.why


def test_a_wish_goes_before_what_is_found() -> None:
    card = ud_hardware.parse_gpu("NVIDIA H200, 580.65.06, 143771, 9.0")
    assert ud_hardware.choose(card, "cpu").kind == "cpu"
    assert ud_hardware.choose(None, "cuda").kind == "cuda"


@pytest.mark.parametrize(
    ("output", "reason", "advice"),
    [
        (["Collecting a", "ERROR: No matching distribution found for a==9"], "No matching distribution", "the network"),
        (["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"], "space", "full"),
        (
            ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "    Expected sha256 0"],
            "DO NOT MATCH",
            "another mirror",
        ),
        (["error: subprocess-exited-with-error", "See above for output."], "subprocess", "goes on"),
        ([], "no output", "goes on"),
    ],
)
def test_pips_words_become_a_reason_and_advice(
    output: list[str], reason: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert reason in ud_pip.reason(output)
    assert ud_pip.reason(output).endswith(".")
    assert advice in ud_pip.advice(output, ud_pip.Where())


def test_this_python_is_found_and_an_unfit_one_is_not(tmp_path: Path) -> None:
    found = ud_python.find_python(ud_report.Reporter())
    assert found.able
    assert (3, 11) <= found.version <= (3, 14)
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    assert ud_python.ask(str(broken)) is None
    assert ud_python.ask(str(tmp_path / "nowhere")) is None


def test_without_any_fitting_python_the_sentence_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ud_python, "_candidates", lambda: iter(["old"]))
    monkeypatch.setattr(ud_python, "ask", lambda path: ud_python.Python("/usr/bin/python3.9", (3, 9), True))
    with pytest.raises(ud_report.InstallError, match=r"needs Python 3\.11 to 3\.14 .*found here: 3\.9"):
        ud_python.find_python(ud_report.Reporter())


def test_without_venv_and_without_root_the_exact_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ud_python, "is_debian", lambda: True)
    monkeypatch.setattr(ud_python, "is_root", lambda: False)
    python = ud_python.Python("/usr/bin/python3.11", (3, 11), False)
    with pytest.raises(ud_report.InstallError) as caught:
        ud_python._with_venv(python, ud_report.Reporter())
    assert "sudo apt-get install python3.11-venv" in caught.value.hint


def pythons() -> list[Path]:
    """The Pythons of this machine, old ones, too."""
    versions = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    found = [folder / "bin" / "python" for folder in versions.glob("[23].*")]
    found += [Path(name) for name in ("/usr/bin/python2", "/usr/bin/python3") if Path(name).exists()]
    return sorted(path for path in found if path.is_file())


def test_any_python_starts_it_or_gets_a_sentence(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": "/nowhere", "LANG": "C.UTF-8"}
    for python in [Path(sys.executable), *pythons()]:
        asked = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True, env=env)
        version = (asked.stdout or asked.stderr).split()[1]
        words = [str(python), str(INSTALLER), "--cpu", "--venv", str(tmp_path / "v")]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)
        assert done.returncode == 1, version
        assert "Traceback" not in done.stderr, version
        if tuple(int(part) for part in version.split(".")[:2]) < (3, 9):
            assert done.stderr.strip().startswith("Underdrawing's installer starts with Python 3.9 or newer"), version
        else:
            assert "What will be done:" in done.stdout, version


def test_the_first_file_can_be_read_by_any_python() -> None:
    """Where no old Python is here to try it: no future import, no f-string, no annotation, no letter beyond ASCII."""
    text = (INSTALLER / "__main__.py").read_text(encoding="ascii")
    tree = ast.parse(text, feature_version=(3, 0))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign)]
    assert "__future__" not in text
    assert text.index("sys.version_info <") < text.index("from ud_main")


def test_help_comes_without_an_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(INSTALLER), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_options_count_before_and_after_the_command() -> None:
    parser = ud_main.arguments()
    for words in (["--yes", "--cpu", "--venv", "v", "gimp"], ["gimp", "--yes", "--cpu", "--venv", "v"]):
        options = parser.parse_args(words)
        assert (options.yes, options.kind, options.venv, options.verb) == (True, "cpu", Path("v"), "gimp")
    assert parser.parse_args(["--venv", "v"]).verb is None
    for words in (["--service", "krita"], ["krita", "--service"]):
        assert parser.parse_args(words).service is True
    assert parser.parse_args(["--no-service", "engine"]).service is False
    assert parser.parse_args([]).service is None
    plain = parser.parse_args(["engine"])
    assert (plain.yes, plain.kind, plain.venv, plain.offline) == (False, None, None, None)
