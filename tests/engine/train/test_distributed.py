"""Several processes that train one network: the same as one, to rounding; a killed training goes on with one alone.

The processes are real ones, started by torchrun.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import psutil
import pytest
import torch
from safetensors.torch import load_file
from skimage import data

from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.store import model_archive
from underdrawing.store.manifest import CHECKPOINT_FILE
from underdrawing.train.distributed import Team, gathered

SCRIPT = Path(__file__).with_name("distributed_script.py")
SMALL = ("width=4", "embedding=8", "filters=4", "stages=2", "longest=40", "smallest=18", "batch=3", "layers=1")


def torchrun(processes: int, *words: str | Path) -> list[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*start, *(str(word) for word in words)]


def run(processes: int, *words: str | Path) -> None:
    done = subprocess.run(
        torchrun(processes, *words), capture_output=True, text=True, check=False, timeout=300, env=environment()
    )
    assert done.returncode == 0, done.stderr[-3000:]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def test_parts_of_a_batch() -> None:
    assert [Team(rank, 2).mine(5) for rank in range(2)] == [[0, 2, 4], [1, 3]]
    assert Team(2, 3).mine(2) == []
    assert Team.present() == Team(0, 1)
    assert Team().agreed(True)
    assert not Team().agreed(False)


def test_gathering_needs_the_launcher() -> None:
    with pytest.raises(ValueError, match="torchrun"), gathered():
        pass


@pytest.mark.long
def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    run(1, SCRIPT, tmp_path / "one", 4)
    run(2, SCRIPT, tmp_path / "two", 4)
    one, two = (load_file(tmp_path / name) for name in ("one", "two"))
    assert int(two["processes"]) == 2
    assert torch.allclose(one["losses"], two["losses"], rtol=2e-3, atol=2e-4)
    # Losses of other steps differ by far more than that.
    assert not torch.allclose(one["losses"][:3], one["losses"][1:4], rtol=2e-2)


@pytest.mark.long
def test_one_process_continues_what_two_began(tmp_path: Path) -> None:
    run(1, SCRIPT, tmp_path / "one", 6)
    run(2, SCRIPT, tmp_path / "half", 4)
    run(1, SCRIPT, tmp_path / "rest", 6, tmp_path / "half.state")
    one, half, rest = (load_file(tmp_path / name) for name in ("one", "half", "rest"))
    assert torch.allclose(one["losses"][:4], half["losses"], rtol=2e-3, atol=2e-4)
    assert torch.allclose(one["losses"][4:], rest["losses"], rtol=2e-3, atol=2e-4)
    assert torch.allclose(one["sample"], rest["sample"], atol=2e-3)


@pytest.mark.long
def test_a_folder_model_is_trained_by_two_processes_and_after_a_kill_by_one(tmp_path: Path) -> None:
    folder, target = tmp_path / "pictures", tmp_path / "few.underdrawing"
    folder.mkdir()
    for number, source in enumerate((data.coffee(), data.astronaut(), data.coffee()[::-1])):
        write_picture(folder / f"{number}.png", Picture(cv2.resize(source, (48, 36))))
    figures = [word for figure in SMALL for word in ("--option", figure)]
    words = ("-m", "underdrawing.train.launch", folder, "-o", target, "--recipe", "meta", "--threads", "1")
    endless = torchrun(2, *words, *figures, "--device", "cpu", "--iterations", "1000000")
    begun = subprocess.Popen(endless, stderr=subprocess.PIPE, text=True, env=environment())
    try:
        checkpoint = target.with_name(target.name + ".training") / CHECKPOINT_FILE
        deadline = time.monotonic() + 120
        while not checkpoint.is_file() and begun.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if begun.poll() is not None:
            pytest.fail(begun.communicate()[1][-3000:])
        assert checkpoint.is_file()
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [*psutil.Process(begun.pid).children(recursive=True), begun]:
                process.kill()
        begun.communicate()
    assert not target.exists()
    # Fewer iterations than it was begun with: what counts as the same training are its pictures and figures.
    run(1, *words, *figures, "--device", "cpu", "--iterations", "4")
    made = model_archive.read(target, tmp_path / "unpacked", "0123456789ab")
    assert made.figures["pictures"] == 3
    assert made.method == "meta"
    assert not checkpoint.exists()
