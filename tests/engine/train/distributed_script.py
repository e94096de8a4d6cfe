"""Trains two scales on three pictures and writes down what came of it. Run by torchrun: OUT STEPS [STATE TO READ]."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.distributed import gathered
from underdrawing.train.method import Progress
from underdrawing.train.methods import find
from underdrawing.train.methods.meta import networks

SMALL = {"width": 4, "embedding": 8, "side": 32, "filters": 4, "layers": 1, "stages": 2, "smallest": 18, "batch": 3}
TOTAL = 6

out, steps, *given = sys.argv[1:]
torch.set_num_threads(1)
networks.BLOCKS = (1, 1, 1, 1)
rng = torch.Generator().manual_seed(3)
pictures = torch.rand(3, 30, 40, 3, generator=rng).numpy()
pairs = tuple(make_pair(picture, {}, None, 1, minimum=12) for picture in pictures)
method = find("meta")
with gathered() as team:
    recipe = method.recipes["meta"].with_options(SMALL)
    device = Device("CPU", torch.device("cpu"), bfloat16=False)
    run = method.begin(TrainingData(pairs, 1.0, (0, 0, 40, 30), {}), recipe, device, 0)
    first = 0
    if given:
        state = load_file(given[0])
        first = int(state.pop("first"))
        run.load_state(state)
    losses = []
    for number in range(first, int(steps)):
        run.enter(number * 2 // TOTAL)
        losses.append(list(run.step(Progress(number, number / TOTAL)).values()))
    if team.leads:
        found = {"losses": torch.tensor(losses), "sample": run.sample(), "processes": torch.tensor(team.size)}
        save_file(found, out)
        state = {name: value.contiguous() for name, value in run.state().items()}
        save_file({**state, "first": torch.tensor(int(steps))}, Path(out).with_suffix(".state"))
