"""pyzmq for the Pythons of hosts: which wheel fits, that it is the locked one, and that a strange one is refused."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import ud_wheel
from ud_pip import Pip, Where
from ud_report import InstallError, Reporter

LINUX = {
    "implementation": "cpython",
    "version": [3, 13],
    "platform": "linux-x86_64",
    "machine": "x86_64",
    "wide": True,
    "free": False,
    "mac": "",
    "libc": "glibc 2.41",
}
WINDOWS = {**LINUX, "version": [3, 10], "platform": "win-amd64", "machine": "AMD64", "libc": ""}
MAC = {
    **LINUX,
    "version": [3, 10],
    "platform": "macosx-10.14-universal2",
    "machine": "arm64",
    "libc": "",
    "mac": "14.5",
}
MSYS = {**LINUX, "version": [3, 12], "platform": "mingw_x86_64_ucrt", "machine": "AMD64", "libc": ""}


def told(**changes: Any) -> dict[str, Any]:
    return {**LINUX, **changes}


def test_this_python_says_what_it_is() -> None:
    scope: dict[str, Any] = {}
    exec(ud_wheel.ASK, scope)
    found = ud_wheel.target(scope["python"]())
    assert found is not None
    assert found.version == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.abi.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}")


@pytest.mark.parametrize(
    ("says", "abi", "platform"),
    [
        (LINUX, "cp313", "manylinux_2_41_x86_64"),
        (
            told(version=[3, 11], platform="linux-aarch64", machine="aarch64", libc="glibc 2.36"),
            "cp311",
            "_2_36_aarch64",
        ),
        (told(version=[3, 14], free=True), "cp314t", "manylinux_2_41_x86_64"),
        (WINDOWS, "cp310", "win_amd64"),
        (MAC, "cp310", "macosx_14_0_arm64"),
        ({**MAC, "mac": "10.15.7", "machine": "x86_64"}, "cp310", "macosx_10_15_x86_64"),
    ],
)
def test_a_python_gets_the_wheels_of_its_kind(says: dict[str, Any], abi: str, platform: str) -> None:
    found = ud_wheel.target(says)
    assert found is not None
    assert found.abi == abi
    assert found.platforms[0].endswith(platform)


@pytest.mark.parametrize(
    "says",
    [
        MSYS,
        told(implementation="pypy"),
        told(wide=False),
        told(libc=""),
        told(libc="glibc 2.12"),
        told(version="3.13"),
        {},
    ],
    ids=["MSYS2", "PyPy", "32 bits", "musl", "too old", "nonsense", "nothing"],
)
def test_a_python_that_no_wheel_fits_gets_none(says: dict[str, Any]) -> None:
    assert ud_wheel.target(says) is None


@pytest.fixture
def pip() -> Pip:
    """With a package index that answers."""
    made = Pip(Path(sys.executable), Reporter(), Where())
    said = made.attempt("pip", ["--dry-run", "--no-deps", "--ignore-installed", "pyzmq"])
    if said is not None:
        pytest.skip(f"no package index can be reached: {said[-1]}")
    return made


@pytest.mark.parametrize("says", [LINUX, WINDOWS, MAC], ids=["Debian 13", "Windows", "macOS"])
def test_the_locked_wheel_comes_for_hosts_of_other_systems(says: dict[str, Any], pip: Pip, tmp_path: Path) -> None:
    version, _ = ud_wheel.locked()
    assert ud_wheel.give("krita", tmp_path, says, pip, Reporter())
    place = ud_wheel.place("krita", tmp_path)
    assert place == tmp_path / "underdrawing_krita" / "pyzmq"
    assert (place / "zmq" / "__init__.py").is_file()
    assert not (place / "zmq" / "tests").exists()
    assert ud_wheel.has("krita", tmp_path) == {"version": version, "python": says}
    (wheel,) = place.glob("pyzmq-*.dist-info")
    tags = (wheel / "WHEEL").read_text(encoding="utf-8")
    assert str(says["platform"]).split("-")[0].replace("linux", "manylinux") in tags
    assert list(wheel.rglob("LICENSE*"))
    assert not ud_wheel.give("krita", tmp_path, says, pip, Reporter()), "what did not help is not fetched again"

    # An update to a release with another pyzmq.
    assert not ud_wheel.renew("krita", tmp_path, pip, Reporter())
    (place / ud_wheel.NOTE).write_text(json.dumps({"version": "26.0", "python": says}), encoding="utf-8")
    (place / "zmq" / "old.py").write_text("")
    assert ud_wheel.renew("krita", tmp_path, pip, Reporter())
    assert ud_wheel.has("krita", tmp_path)["version"] == version
    assert not (place / "zmq" / "old.py").exists()
    assert not ud_wheel.renew("gimp", tmp_path, pip, Reporter()), "who has none gets none"


def test_a_wheel_with_another_content_than_the_locked_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version, _ = ud_wheel.locked()
    folder = tmp_path / "files"
    folder.mkdir()
    info = f"pyzmq-{version}.dist-info"
    with zipfile.ZipFile(folder / f"pyzmq-{version}-cp313-cp313-manylinux2014_x86_64.whl", "w") as out:
        out.writestr("zmq/__init__.py", "print('a stranger')")
        out.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: pyzmq\nVersion: {version}\n")
        out.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp313-cp313-manylinux2014_x86_64\n")
        out.writestr(f"{info}/RECORD", "")
    pip = Pip(Path(sys.executable), Reporter(), Where(offline=folder))
    assert not ud_wheel.give("gimp", tmp_path / "plug-ins", LINUX, pip, Reporter())
    said = capsys.readouterr().out
    assert "DO NOT MATCH" in said
    assert "The bridge does its work" in said
    assert not (tmp_path / "plug-ins").exists()


def test_what_leads_out_of_the_folder_is_refused_and_the_former_one_stays(tmp_path: Path) -> None:
    final, wheel = tmp_path / "plug" / "pyzmq", tmp_path / "pyzmq.whl"
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr("zmq/__init__.py", "")
        out.writestr("zmq/tests/conftest.py", "")
    ud_wheel.unpack(wheel, final, {"version": "1"})
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr("../../out.py", "")
    with pytest.raises(InstallError, match="no sound wheel"):
        ud_wheel.unpack(wheel, final, {"version": "2"})
    assert sorted(path.name for path in final.parent.iterdir()) == ["pyzmq"]
    assert json.loads((final / ud_wheel.NOTE).read_text()) == {"version": "1"}
    assert [path.name for path in (final / "zmq").iterdir()] == ["__init__.py"]
    assert not list(tmp_path.rglob("out.py"))
    shutil.rmtree(final)
