"""Where the plug-ins go in a user's own profiles, and that they go away again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import ud_krita_settings
import ud_profiles
from ud_hosts import HOSTS
from ud_report import InstallError, Reporter
from ud_uninstall_record import Record, tree

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders are those of Linux")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a blank and a letter beyond ASCII, and no settings of the environment's."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "Zoë M"
    folder.mkdir()
    return folder


def test_without_a_profile_it_says_what_to_do(user: Path) -> None:
    for host, spec in HOSTS.items():
        with pytest.raises(InstallError) as caught:
            ud_profiles.put(host, Reporter(), home=user)
        assert spec.title in str(caught.value)


def test_every_gimp_3_of_the_user_gets_it_and_gimp_2_does_not(user: Path) -> None:
    profiles = [user / ".config/GIMP/3.0", user / ".var/app/org.gimp.GIMP/config/GIMP/3.2"]
    for profile in (*profiles, user / ".config/GIMP/2.10"):
        profile.mkdir(parents=True)
    written = ud_profiles.put("gimp", Reporter(), home=user)
    assert written == [profile / "plug-ins" / "underdrawing-gimp" for profile in profiles]
    program = written[0] / "underdrawing-gimp.py"
    assert program.stat().st_mode & 0o111
    assert (written[0] / "underdrawing_gimp" / "client" / "engine.py").is_file()
    assert ud_profiles.take_away("gimp", user) == written
    assert not any(list(profile.iterdir()) for profile in profiles), "a folder that was made goes, too"


def test_krita_gets_it_switched_on_and_keeps_its_settings(user: Path) -> None:
    (user / ".local/share/krita").mkdir(parents=True)
    settings = user / ".config/kritarc"
    settings.parent.mkdir()
    settings.write_text("[Colors]\nname=Größe\n\n[python]\nenable_tenbrushes=true\n", encoding="utf-8")
    before = settings.read_text(encoding="utf-8")
    ud_profiles.put("krita", Reporter(), home=user)
    ud_profiles.put("krita", Reporter(), home=user)
    after = settings.read_text(encoding="utf-8")
    assert after.count("enable_underdrawing_krita=true") == 1
    assert "name=Größe" in after
    assert "enable_tenbrushes=true" in after
    assert (user / ".local/share/krita/pykrita/underdrawing_krita.desktop").is_file()
    ud_profiles.take_away("krita", user)
    assert settings.read_text(encoding="utf-8") == before
    assert not list((user / ".local/share/krita").iterdir())


def test_a_krita_without_settings_gets_some(user: Path) -> None:
    (user / ".var/app/org.kde.krita/data/krita").mkdir(parents=True)
    ud_profiles.put("krita", Reporter(), home=user)
    settings = user / ".var/app/org.kde.krita/config/kritarc"
    assert settings.read_text(encoding="utf-8") == "[python]\nenable_underdrawing_krita=true\n"
    ud_profiles.put("krita", Reporter(), home=user)
    ud_profiles.take_away("krita", user)
    assert not settings.exists(), "what was made goes, also after a second installation"


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Rights and contents of all that is in a folder; a link's content is where it leads."""
    found = {}
    for path in folder.rglob("*"):
        content = str(path.readlink()).encode() if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


SETTINGS = {
    "none": None,
    "empty": b"",
    "no end of line": b"[Colors]\nname=Gr\xc3\xb6\xc3\x9fe",
    "no UTF-8": b"[Colors]\nname=Gr\xf6\xdfe\n\n",
    "Windows' ends of lines": b"[python]\r\nenable_tenbrushes=true\r\n\r\n[theme]\r\nTheme=dark\r\n",
    "an empty section": b"[theme]\nTheme=dark\n\n[python]\n",
    "a section without an end": b"[theme]\nTheme=dark\n\n[python]",
    "switched off by hand": b"[python]\nenable_underdrawing_krita=false\nenable_tenbrushes=true\n",
}


@pytest.mark.parametrize("before", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("times", [1, 2])
def test_krita_is_left_as_it_was_to_the_byte(before: bytes | None, times: int, user: Path) -> None:
    (user / ".local/share/krita").mkdir(parents=True)
    settings = user / ".config/kritarc"
    if before is not None:
        settings.parent.mkdir()
        settings.write_bytes(before)
        settings.chmod(0o600)
    was = state(user)
    for _ in range(times):
        ud_profiles.put("krita", Reporter(), home=user)
        assert ud_krita_settings.is_on(settings)
        assert settings.read_bytes().count(b"enable_underdrawing_krita=") == 1
        assert before is None or settings.stat().st_mode & 0o777 == 0o600
    ud_profiles.take_away("krita", user)
    assert state(user) == was


@pytest.mark.parametrize("times", [1, 2])
def test_what_krita_wrote_since_stays(times: int, user: Path) -> None:
    (user / ".local/share/krita").mkdir(parents=True)
    settings = user / ".config/kritarc"
    settings.parent.mkdir()
    settings.write_text("[theme]\nTheme=dark\n")
    ud_profiles.put("krita", Reporter(), home=user)
    # As Krita writes it: sections in another order, and a plug-in more.
    settings.write_text("[python]\nenable_tenbrushes=true\nenable_underdrawing_krita=true\n\n[theme]\nTheme=light\n")
    if times == 2:
        ud_profiles.put("krita", Reporter(), home=user)
    ud_profiles.take_away("krita", user)
    assert settings.read_text() == "[python]\nenable_tenbrushes=true\n\n[theme]\nTheme=light\n"


def test_settings_that_are_a_link_stay_one(user: Path) -> None:
    (user / ".local/share/krita").mkdir(parents=True)
    (user / ".config").mkdir()
    real = user / "dotfiles" / "kritarc"
    real.parent.mkdir()
    real.write_text("[theme]\nTheme=dark\n")
    (user / ".config/kritarc").symlink_to(real)
    was = state(user)
    ud_profiles.put("krita", Reporter(), home=user)
    assert "enable_underdrawing_krita=true" in real.read_text()
    assert (user / ".config/kritarc").is_symlink()
    ud_profiles.take_away("krita", user)
    assert state(user) == was


def test_a_profile_that_was_made_for_us_goes_unless_it_was_used(user: Path) -> None:
    profile = user / ".config/GIMP/3.0"
    for used in (False, True):
        (profile / "brushes").mkdir(parents=True)
        (profile / "gimprc").write_text("(undo-levels 5)\n")
        begun = Record(
            tuple(str(path) for path in (profile.parent, profile.parent.parent)), {str(profile): tree(profile)}
        )
        ud_profiles.put("gimp", Reporter(), home=user, begun=begun)
        ud_profiles.put("gimp", Reporter(), home=user)
        if used:
            (profile / "gimprc").write_text("(undo-levels 6)\n")
        ud_profiles.take_away("gimp", user)
        assert profile.is_dir() == used
        assert (user / ".config").is_dir() == used
    assert sorted(path.name for path in profile.iterdir()) == ["brushes", "gimprc"]


def test_gimp_asks_a_renewed_plugin_anew(user: Path) -> None:
    """GIMP keeps what a plug-in registered for as long as its program has the same time."""
    (user / ".config/GIMP/3.0").mkdir(parents=True)
    (written,) = ud_profiles.put("gimp", Reporter(), home=user)
    program = written / "underdrawing-gimp.py"
    os.utime(program, (1, 1))
    ud_profiles.put("gimp", Reporter(), home=user)
    assert program.stat().st_mtime > 1


def test_a_named_folder_is_taken_as_it_is(user: Path, tmp_path: Path) -> None:
    assert ud_profiles.put("gimp", Reporter(), tmp_path / "any where") == [tmp_path / "any where" / "underdrawing-gimp"]
