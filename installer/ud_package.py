"""`python3 installer package`: the plug-ins as archives that Krita and GIMP take, and the wheel that carries both."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from ud_env import Environment
from ud_hardware import ROOT, clean_environment
from ud_hosts import HOSTS
from ud_pip import advice, reason
from ud_plugins import lay_out, version
from ud_report import InstallError, Reporter

# The same files give the same archive, whenever it is made.
WHEN = (2026, 1, 1, 0, 0, 0)


def archive(host: str, folder: Path) -> Path:
    """A plug-in as one file.

    Krita unpacks it (Tools > Scripts > Import Python Plugin from File); GIMP's is unpacked into the folder `plug-ins`.
    """
    made = folder / f"underdrawing-{host}-{version()}.zip"
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        lay_out(host, Path(place))
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(Path(place).rglob("*")):
                name = path.relative_to(place).as_posix()
                # Krita's importer knows a package by the entry of its folder.
                entry = zipfile.ZipInfo(f"{name}/" if path.is_dir() else name, WHEN)
                entry.external_attr = (0o40755 if path.is_dir() else 0o100000 | path.stat().st_mode & 0o777) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(entry, b"" if path.is_dir() else path.read_bytes())
    return made


def wheel(environment: Environment, folder: Path) -> Path:
    """The wheel, built by pip with the environment's own build tools, or in isolation where it has none.

    Raises:
        InstallError: pip's reason.
    """
    python = str(environment.python)
    has = subprocess.run([python, "-c", "import hatchling"], capture_output=True, check=False, env=clean_environment())
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as place:
        command = [python, "-P", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", place]
        command += ["--no-build-isolation", "--no-index"] if has.returncode == 0 else environment.where.options()
        done = subprocess.run(
            [*command, str(ROOT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            env=clean_environment(),
        )
        environment.report.log(done.stdout)
        built = list(Path(place).glob("underdrawing-*.whl"))
        if done.returncode != 0 or not built:
            output = [line.strip() for line in done.stdout.splitlines()]
            raise InstallError(f"The wheel could not be built: {reason(output)}", advice(output, environment.where))
        made = folder / built[0].name
        shutil.copyfile(built[0], made)
        return made


def package(environment: Environment, folder: Path, report: Reporter) -> list[Path]:
    """Write all three into a folder, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    report.step("Making the archives for Krita and GIMP")
    made = [archive(host, folder) for host in HOSTS]
    report.step("Building the wheel")
    made.append(wheel(environment, folder))
    for path in made:
        report.say(f"Written: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return made
