"""Making the environment `.venv`, step by step, so that an interrupted installation is finished by the next run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ud_hardware import HERE, ROOT, Choice, choose, clean_environment, free_megabytes, gpu, sources
from ud_pip import Pip, Where, advice, reason
from ud_python import find_python
from ud_report import InstallError, Reporter

LOCKS = HERE / "locks"
MARK = "underdrawing-environment.json"

# Imports everything that a use of Underdrawing can need, and prints what torch was built for.
_PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import torch
print(torch.version.cuda or "cpu")
"""
# Starts an engine in a home of its own, has it run a small graph, and ends it.
_ROUND = """
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
try:
    with Engine.connect(timeout=90) as engine:
        error = (engine.status(probe=True).get("renderer") or {}).get("error")
        engine.shutdown()
        engine.wait_for_end()
except EngineError as fault:
    raise SystemExit(fault.message)
if error:
    raise SystemExit(str(error.get("message")))
"""
_WEIGHTS = """
import sys
from underdrawing import weights
names = weights.missing()
for name in names: print(f"  {name}: {weights.CATALOGUE[name].use}")
try:
    weights.fetch(names, offline=sys.argv[1] or None)
except weights.WeightsError as error:
    sys.exit(str(error))
"""
_MODULES = ("underdrawing", "numpy", "cv2", "skimage", "h5py", "onnx", "onnxruntime", "zmq", "psutil", "safetensors")


@dataclass(frozen=True)
class Outcome:
    """What a program printed, and why it failed: its last line, without a full stop; empty where it did not."""

    output: str
    why: str


class Environment:
    """The environment in `folder`, and how far its installation has come."""

    def __init__(self, folder: Path, report: Reporter, where: Where | None = None) -> None:
        self.folder, self.report, self.where = folder, report, where or Where()
        scripts = "Scripts" if sys.platform == "win32" else "bin"
        self.python = folder / scripts / ("python.exe" if sys.platform == "win32" else "python")

    # --- What is recorded ---------------------------------------------------------------------------------------

    @property
    def mark(self) -> Path:
        """The file that makes this environment the installer's, and lists the steps that are done."""
        return self.folder / MARK

    def state(self) -> dict[str, Any]:
        """The content of the mark; empty when there is none or it is damaged."""
        try:
            found = json.loads(self.mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def record(self, **changes: Any) -> None:
        """Change the mark; all of it or nothing."""
        state = {**self.state(), **changes}
        scratch = self.mark.with_name(MARK + ".new")
        scratch.write_text(json.dumps(state, indent=1), encoding="utf-8")
        scratch.replace(self.mark)

    def ours(self) -> bool:
        """Whether the installer made this environment."""
        return bool(self.state())

    def ask(self, *words: str, timeout: float = 300, **variables: str) -> Outcome:
        """Run the environment's Python with these words; its output is in the log, too."""
        command, env = [str(self.python), *words], {**clean_environment(), **variables}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=env)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Outcome("", str(error))
        self.report.log(done.stdout + done.stderr)
        complaint = (done.stderr.strip().splitlines() or ["no output"])[-1].rstrip(".")
        return Outcome(done.stdout.strip(), complaint if done.returncode else "")

    def runs(self) -> bool:
        """Whether its Python starts."""
        return not self.ask("-c", "", timeout=60).why

    def probe(self, *more: str) -> tuple[str | None, str]:
        """(torch's build, "") when everything can be imported, else (None, the last line of the reason)."""
        done = self.ask("-W", "ignore", "-c", _PROBE, *_MODULES, *more)
        return (None, done.why) if done.why else (done.output.splitlines()[-1], "")

    def home(self) -> Path | None:
        """Underdrawing's data folder, as its own code has it; None when that does not run."""
        done = self.ask("-c", "from underdrawing.client.endpoint import home; print(home())")
        return Path(done.output) if done.output and not done.why else None

    def answers(self) -> str:
        """Why an engine of this environment does not answer; empty when it does."""
        with tempfile.TemporaryDirectory(prefix="underdrawing-") as home:
            return self.ask("-W", "ignore", "-c", _ROUND, UNDERDRAWING_HOME=home).why

    def fetch_weights(self, **variables: str) -> Outcome:
        """Fetch what is missing of the default weights, and list it. variables: for the process."""
        return self.ask("-c", _WEIGHTS, str(self.where.offline or ""), timeout=7200, **variables)

    def check(self) -> str:
        """Why this environment does not work; empty when everything loads and an engine answers."""
        build, why = self.probe()
        return why if build is None else self.answers()

    # --- Making it ----------------------------------------------------------------------------------------------

    def ensure(self, wanted: str | None = None, tests: bool = False) -> str:
        """Bring the environment to the state of the lock files; quick when nothing is to be done.

        wanted: "cpu" or "cuda" against what the machine suggests. tests: with what the tests need.
        Returns the kind. Raises InstallError.
        """
        if self.folder.exists() and not self.ours() and self.runs():
            return self._use_foreign(tests)
        choice = self._choose(wanted)
        if not self.ours() or self.state().get("running") == "venv" or not self.runs():
            self._create(choice)
        state = self.state()
        if state.get("running"):
            self._mend(state["running"])
        if state.get("kind") not in (None, choice.kind):
            self._forget_other_kind(state["kind"], choice.kind)
        self.record(kind=choice.kind)
        pip = Pip(self.python, self.report, self.where)
        editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        if self.where.offline is None:
            editable = ["--no-index", *editable]
        work = {
            "torch": lambda: self._torch(pip, choice.kind),
            "underdrawing": lambda: pip.install("Underdrawing", editable),
        }
        for name, label, lock, extra in self._plan(choice.kind, tests):
            self._step(name, label, work.get(name) or self._locked(pip, lock), lock, extra)
        self._verify(choice.kind)
        return choice.kind

    @staticmethod
    def _plan(kind: str, tests: bool) -> list[tuple[str, str, str, str]]:
        """The steps: name, what the person reads, lock file, what else the step depends on."""
        plan = [
            ("tools", "the installation tools", "tools.txt", ""),
            ("torch", f"torch ({kind})", "torch.txt", kind),
            ("packages", "the other packages", f"{kind}.txt", ""),
        ]
        if tests:
            plan.append(("tests", "what the tests need", "test.txt", ""))
        return [*plan, ("underdrawing", "Underdrawing", "../../pyproject.toml", "")]

    def outdated(self, kind: str, tests: bool) -> bool:
        """Whether `ensure` would change something."""
        state = self.state()
        steps = state.get("steps", {})
        wanted = {name: self._key(lock, extra) for name, _, lock, extra in self._plan(kind, tests)}
        return bool(state.get("running")) or any(steps.get(name) != key for name, key in wanted.items())

    def _choose(self, wanted: str | None) -> Choice:
        """What the user asked for now or before, else what suits the machine."""
        before = self.state()
        if wanted is None and before.get("asked"):
            return Choice(before["kind"], f"{before['kind']} was asked for.")
        choice = choose(gpu(), wanted)
        if before.get("kind") != choice.kind:
            self.report.say(choice.why)
        return choice

    def _create(self, choice: Choice) -> None:
        python = find_python(self.report)
        needed = sources()["disk_megabytes"][choice.kind]
        free = free_megabytes(self.folder)
        if free < needed:
            raise InstallError(
                f"{free} MB are free on the disk of {self.folder.parent}, and about {needed} MB are needed.",
                "Free some space, or unpack Underdrawing on another disk.",
            )
        self.report.step(f"Making the environment {self.folder} with {python.label}")
        if self.folder.exists():
            if any(self.folder.iterdir()) and not self.ours() and not (self.folder / "pyvenv.cfg").exists():
                raise InstallError(
                    f"{self.folder} is there already and is no environment, so it stays as it is.",
                    "Move it away, or name another folder with --venv DIR.",
                )
            # Ours but broken, or the remains of an interrupted run: nothing in it is worth keeping.
            shutil.rmtree(self.folder)
        # The mark comes first, so that what an interrupted run leaves is known as the installer's.
        self.folder.mkdir(parents=True)
        self.record(made_by="python3 installer", python=python.path, running="venv", steps={})
        done = self._venv(python.path)
        self.report.log(done.stdout + done.stderr)
        if done.returncode != 0 or not self.runs():
            shutil.rmtree(self.folder, ignore_errors=True)
            words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise InstallError(
                f"The environment {self.folder} could not be made: {words[-1]}.",
                "Is the folder writable? A copy of Underdrawing in a folder of your own always is.",
            )
        self.record(running=None)

    def _venv(self, python: str) -> subprocess.CompletedProcess[str]:
        """Have a Python fill the folder with an environment."""
        command = [python, "-P", "-m", "venv", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())

    def _use_foreign(self, tests: bool) -> str:
        """An environment that somebody else made: used when it has everything, never changed."""
        build, why = self.probe(*(("pytest", "hypothesis") if tests else ()))
        if build is None:
            raise InstallError(
                f"{self.folder} is there already, was not made by the installer, and lacks something: {why}.",
                "Move it away, or name another folder with --venv DIR.",
            )
        self.report.say(f"Using {self.folder} as it is (the installer did not make it and changes nothing in it).")
        return "cpu" if build == "cpu" else "cuda"

    def _locked(self, pip: Pip, lock: str) -> Any:
        label = {"tools.txt": "the installation tools", "test.txt": "the test tools"}.get(lock, "the packages")
        arguments = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCKS / lock)]
        return lambda: pip.install(label, arguments)

    def _torch(self, pip: Pip, kind: str) -> None:
        """torch from the place that sources.json names, the user's own settings first."""
        by_system = sources()["torch"][kind]
        source = by_system.get(sys.platform, by_system["other"])
        if "lock" in source:
            arguments = ["--no-deps", "--require-hashes", "--requirement", str(LOCKS / source["lock"])]
            pip.install(f"torch ({kind})", arguments)
            return
        arguments = ["--no-deps", "--only-binary", ":all:", source["requirement"]]
        label = source["requirement"]
        index = self.where.torch_index or os.environ.get("UNDERDRAWING_TORCH_INDEX")
        if self.where.offline is not None:
            pip.install(label, arguments)
            return
        # A pip that is configured with a place for this build (a mirror, a wheel house) is asked first.
        if index is None and pip.attempt(label, arguments) is None:
            return
        index = index or source["index"]
        output = pip.attempt(label, ["--index-url", index, *arguments], elsewhere=False)
        if output is not None:
            raise InstallError(
                f"pip could not get {label} from {index}: {reason(output)}",
                f"{advice(output, self.where)} Another place can be named with --torch-index URL.",
            )

    def _step(self, name: str, label: str, work: Any, lock: str, extra: str = "") -> None:
        """Do one step unless it was done with this very lock file."""
        key = self._key(lock, extra)
        steps = self.state().get("steps", {})
        if steps.get(name) == key:
            return
        self.report.step(f"Installing {label}")
        self.record(running=name)
        work()
        self.record(running=None, steps={**self.state().get("steps", {}), name: key})

    @staticmethod
    def _key(lock: str, extra: str) -> str:
        """What a step depends on, in short."""
        return hashlib.sha256((LOCKS / lock).read_bytes() + str(ROOT).encode() + extra.encode()).hexdigest()

    def _mend(self, step: str) -> None:
        """After an interrupted pip: forget half-unpacked packages, so that they are installed again.

        pip writes INSTALLER when all of a package's files are in place.
        """
        self.report.step(f"The last installation was interrupted (step '{step}'): going on")
        for info in self._site().glob("*.dist-info"):
            if not (info / "INSTALLER").exists():
                shutil.rmtree(info)
        for remains in self._site().glob("~*"):
            shutil.rmtree(remains, ignore_errors=True)

    def _site(self) -> Path:
        return Path(self.ask("-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").output)

    def _forget_other_kind(self, old: str, new: str) -> None:
        """onnxruntime and onnxruntime-gpu overwrite each other's files: both go before either comes."""
        self.report.step(f"Changing the environment from {old} to {new}")
        self.ask("-P", "-m", "pip", "uninstall", "-y", "torch", "onnxruntime", "onnxruntime-gpu")
        steps = {name: key for name, key in self.state().get("steps", {}).items() if name in ("tools", "tests")}
        self.record(steps=steps)

    def _verify(self, kind: str) -> None:
        """Import everything once after a change; the result is remembered."""
        steps = self.state()["steps"]
        if self.state().get("verified") == steps:
            return
        self.report.step("Checking that everything can be loaded")
        build, why = self.probe()
        if build is None:
            self.record(steps={}, broken=True)
            raise InstallError(
                f"The installed packages cannot be loaded: {why}.",
                "Run the same command again: it installs them again. If that does not help, see docs/installation.md.",
            )
        if kind == "cpu" and build != "cpu":
            self.report.warn(f"torch was built for CUDA {build}: larger than needed, it runs on the CPU all the same.")
        if kind == "cuda" and build == "cpu":
            raise InstallError("torch came as a CPU build.", "Name an index with CUDA builds: --torch-index URL.")
        self.record(verified=steps, broken=False)

    # --- Using it -----------------------------------------------------------------------------------------------

    def run(self, arguments: list[str], environment: dict[str, str] | None = None) -> int:
        """Run the environment's Python with these arguments, in the foreground; its exit code."""
        self.report.clear()
        sys.stdout.flush()
        env = {**clean_environment(), **(environment or {})}
        self.report.log("$ " + " ".join([str(self.python), *arguments]))
        return subprocess.run([str(self.python), *arguments], cwd=ROOT, env=env, check=False).returncode
