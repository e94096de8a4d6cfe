"""Where the plug-ins go in a user's own profiles, and that they go away again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import ud_hosts
from ud_report import InstallError, Reporter

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
    for host, name in ud_hosts.NAMES.items():
        with pytest.raises(InstallError) as caught:
            ud_hosts.put(host, Reporter(), home=user)
        assert name in str(caught.value)


def test_every_gimp_3_of_the_user_gets_it_and_gimp_2_does_not(user: Path) -> None:
    profiles = [user / ".config/GIMP/3.0", user / ".var/app/org.gimp.GIMP/config/GIMP/3.2"]
    for profile in (*profiles, user / ".config/GIMP/2.10"):
        profile.mkdir(parents=True)
    written = ud_hosts.put("gimp", Reporter(), home=user)
    assert written == [profile / "plug-ins" / "underdrawing-gimp" for profile in profiles]
    program = written[0] / "underdrawing-gimp.py"
    assert program.stat().st_mode & 0o111
    assert (written[0] / "underdrawing_gimp" / "link" / "client.py").is_file()
    assert ud_hosts.take_away("gimp", user) == written
    assert not any(list(profile.iterdir()) for profile in profiles), "a folder that was made goes, too"


def test_krita_gets_it_switched_on_and_keeps_its_settings(user: Path) -> None:
    (user / ".local/share/krita").mkdir(parents=True)
    settings = user / ".config/kritarc"
    settings.parent.mkdir()
    settings.write_text("[Colors]\nname=Größe\n\n[python]\nenable_tenbrushes=true\n", encoding="utf-8")
    before = settings.read_text(encoding="utf-8")
    ud_hosts.put("krita", Reporter(), home=user)
    ud_hosts.put("krita", Reporter(), home=user)
    after = settings.read_text(encoding="utf-8")
    assert after.count("enable_underdrawing_krita=true") == 1
    assert "name=Größe" in after
    assert "enable_tenbrushes=true" in after
    assert (user / ".local/share/krita/pykrita/underdrawing_krita.desktop").is_file()
    ud_hosts.take_away("krita", user)
    assert settings.read_text(encoding="utf-8") == before
    assert not list((user / ".local/share/krita").iterdir())


def test_a_krita_without_settings_gets_some(user: Path) -> None:
    (user / ".var/app/org.kde.krita/data/krita").mkdir(parents=True)
    ud_hosts.put("krita", Reporter(), home=user)
    settings = user / ".var/app/org.kde.krita/config/kritarc"
    assert settings.read_text(encoding="utf-8") == "[python]\nenable_underdrawing_krita=true\n"
    ud_hosts.put("krita", Reporter(), home=user)
    ud_hosts.take_away("krita", user)
    assert not settings.exists(), "what was made goes, also after a second installation"


def test_a_named_folder_is_taken_as_it_is(user: Path, tmp_path: Path) -> None:
    assert ud_hosts.put("gimp", Reporter(), tmp_path / "any where") == [tmp_path / "any where" / "underdrawing-gimp"]
