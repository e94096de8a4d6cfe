"""Downloads that break off, resume, and are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.weights.http_server import CONTENT, DIGEST, Server, place, server
from underdrawing import weights
from underdrawing.weights.download import CHUNK, FRUITLESS_TRIES, download

__all__ = ["place", "server"]  # fixtures


def _get(server: Server, target: Path, sha256: str = DIGEST) -> None:
    download(f"{server.url}/w.bin", target, sha256=sha256, size=len(CONTENT), pause=0.0)


def test_a_download_that_breaks_off_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.breaks = [1_000_000, 1_200_000]
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    first = 1_000_000 // CHUNK * CHUNK
    second = first + 1_200_000 // CHUNK * CHUNK
    assert server.ranges == [None, f"bytes={first}-", f"bytes={second}-"]
    assert not (tmp_path / "w.bin.part").exists()


def test_an_end_that_only_the_size_shows_to_be_too_early_is_gone_on_from(server: Server, tmp_path: Path) -> None:
    """Behind some proxies an answer has no length, and a connection that breaks off looks like its end."""
    server.files["w.bin"] = CONTENT
    server.tells_length = False
    server.breaks = [1_000_000]
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000000-"]


def test_a_second_run_resumes_what_a_killed_one_left(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:2_500_000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=2500000-"]


def test_a_server_without_ranges_is_read_from_the_start(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.honours_ranges = False
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:1000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_a_part_that_begins_elsewhere_is_not_appended(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.begins = 0
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:1000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_tries_that_bring_something_are_not_counted_as_fruitless(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.breaks = [200_000] * (2 * FRUITLESS_TRIES)
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    server.breaks = [200_000, *[0] * FRUITLESS_TRIES, 200_000]
    with pytest.raises(weights.WeightsError, match="Check the network"):
        _get(server, tmp_path / "again.bin")
    assert (tmp_path / "again.bin.part").stat().st_size == 200_000 // CHUNK * CHUNK


def test_a_download_survives_a_power_cut(server: Server, tmp_path: Path, synced: set[int]) -> None:
    server.files["w.bin"] = CONTENT
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").stat().st_ino in synced


def test_a_foreign_partial_file_is_thrown_away_and_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    (tmp_path / "w.bin.part").write_bytes(b"x" * 1000)
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_a_wrong_file_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = bytes(len(CONTENT))
    with pytest.raises(weights.WeightsError, match="not the file expected"):
        _get(server, tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


def test_an_endless_file_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT * 3
    with pytest.raises(weights.WeightsError, match="larger than"):
        _get(server, tmp_path / "w.bin")
    assert not (tmp_path / "w.bin").exists()


def test_a_stumbling_server_is_asked_again_and_a_refusal_is_final(server: Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.statuses = [503, 502]
    _get(server, tmp_path / "w.bin")
    assert len(server.ranges) == 3
    server.statuses = [403]
    with pytest.raises(weights.WeightsError, match="403"):
        _get(server, tmp_path / "again.bin")
    assert len(server.ranges) == 4


def test_no_connection_is_one_sentence(tmp_path: Path) -> None:
    with Server() as gone:
        url = gone.url
    with pytest.raises(weights.WeightsError, match="Check the network and the proxy"):
        download(f"{url}/w.bin", tmp_path / "w.bin", sha256=DIGEST, size=len(CONTENT), pause=0.0)


def test_a_proxy_that_leads_nowhere_is_respected(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["w.bin"] = CONTENT
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(weights.WeightsError, match="proxy"):
        _get(server, tmp_path / "w.bin")
    assert server.ranges == []


def test_a_full_disk_is_told_before_the_download(tmp_path: Path) -> None:
    with pytest.raises(weights.WeightsError, match="free some space"):
        download("http://127.0.0.1:9/w", tmp_path / "w.bin", sha256=DIGEST, size=1 << 60, pause=0.0)
