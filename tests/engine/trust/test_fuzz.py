"""Everything that reads bytes from outside, given bytes that nobody would send in good faith."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from .fuzz import CORPUS, TARGETS, mutate

ROOT = Path(__file__).resolve().parents[3]
CHANGES = 60  # of every file of the corpus
LONG = 120  # seconds that the fuzzer has for each target


def files(target: str) -> list[Path]:
    return sorted((CORPUS / target).iterdir())


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_and_what_becomes_of_it_harms_nobody(target: str) -> None:
    rng = random.Random(target)
    assert files(target)
    for path in files(target):
        data = path.read_bytes()
        TARGETS[target](data)
        for _ in range(CHANGES):
            changed = mutate(data, rng)
            try:
                TARGETS[target](changed)
            except Exception as error:
                raise AssertionError(f"{path.name}, changed to {changed[:200]!r}") from error


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_the_fuzzer_finds_nothing(target: str) -> None:
    pytest.importorskip("atheris", reason="atheris is made for Linux on x86-64")
    command = [sys.executable, "-m", "tests.engine.trust.fuzz", target, "--seconds", str(LONG)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG * 3, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "INFO: seed corpus" in done.stderr and "DONE" in done.stderr, done.stderr[-2000:]
