"""The refinement: its training samples, its network, and that training teaches repair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from underdrawing.draft.canvas import Origin
from underdrawing.draft.draft import Draft
from underdrawing.draft.refiner_input import CHANNELS, GATE, class_colours, gate, hints
from underdrawing.picture.edges import canny_edges
from underdrawing.picture.palette import distinct_colours
from underdrawing.picture.primitive import Primitive
from underdrawing.store.manifest import Procedure
from underdrawing.train import export
from underdrawing.train.data import Pair, TrainingData
from underdrawing.train.method import MeasuringRun, Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.refine.judge import EDITS, RepairJudge
from underdrawing.train.methods.refine.networks import Refiner
from underdrawing.train.methods.refine.run import RefineRun
from underdrawing.train.methods.refine.samples import cycle_sample, training_sample

from .conftest import CPU

METHOD = find("refine")


def begin(pair: Pair, **options: object) -> RefineRun:
    recipe = METHOD.recipes["refine"].with_options({"perceptual": 0, "crop": 64, "lessons": 6, **options})
    run = METHOD.begin(TrainingData((pair,), 1.0, (0, 0, 108, 76), {}), recipe, CPU, 3)
    assert isinstance(run, RefineRun)
    return run


def scene() -> tuple[np.ndarray, Primitive]:
    """Two textured discs on textured ground, (72, 96)."""
    random = np.random.default_rng(0)
    noise = cv2.GaussianBlur(random.standard_normal((72, 96, 3)).astype(np.float32), (0, 0), 1.5)
    classes = np.zeros((72, 96), np.uint8)
    cv2.circle(classes, (30, 36), 12, 1, -1)
    cv2.circle(classes, (68, 30), 9, 1, -1)
    ground = np.where(classes[..., None] > 0, np.float32([0.8, 0.5, 0.2]), np.float32([0.2, 0.4, 0.5]))
    return (ground + 0.2 * noise).clip(0, 1).astype(np.float32), Primitive(classes, distinct_colours(2), None, None)


def test_a_sample_shows_what_is_unsure_and_the_truth() -> None:
    picture, primitive = scene()
    made = [training_sample(picture, primitive, np.random.default_rng(k)) for k in range(6)]
    for one in made:
        assert one.hints.shape == (CHANNELS, 72, 96)
        assert one.truth.shape == (3, 72, 96)
        assert np.isfinite(one.hints).all()
        assert -1 <= one.truth.min() <= one.truth.max() <= 1
        # Where nothing may be changed the draft is nearer to the truth than where something may.
        off = np.abs(one.hints[:3].astype(np.float32) - one.truth.astype(np.float32)).mean(0)
        shut, open_ = one.hints[GATE] == 0, one.hints[GATE] > 0.5
        if shut.any() and open_.any():
            assert off[shut].mean() < off[open_].mean()
    assert any((one.hints[GATE] > 0.5).mean() > 0.02 for one in made)


def test_the_way_back_leads_to_the_picture_itself() -> None:
    picture, primitive = scene()
    one = cycle_sample(picture, primitive, np.random.default_rng(5))
    assert np.abs(one.truth.transpose(1, 2, 0).astype(np.float32) / 2 + 0.5 - picture).max() < 1e-3


def test_the_same_seed_gives_the_same_sample() -> None:
    picture, primitive = scene()
    first, second = (training_sample(picture, primitive, np.random.default_rng(9)) for _ in range(2))
    assert (first.hints == second.hints).all()
    assert (first.truth == second.truth).all()


def test_outlines_alone_give_samples(pair: Pair) -> None:
    run = begin(replace(pair, planes={"edges": pair.planes["edges"]}))
    assert np.isfinite(run.step(Progress(0, 0.0))["pixel"])


def test_paint_alone_is_refused(pair: Pair) -> None:
    with pytest.raises(TrainingError) as caught:
        begin(replace(pair, planes={}))
    assert caught.value.code == "no_plane"


def test_sure_pixels_pass_unchanged_through_any_network() -> None:
    torch.manual_seed(0)
    network = Refiner()
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(0, 0.3)
    given = torch.rand(1, CHANNELS, 48, 64) * 2 - 1
    given[:, GATE] = 0
    given[:, GATE, 10:20, 20:40] = 1
    made = network(given)
    kept = given[:, GATE : GATE + 1].expand(-1, 3, -1, -1) == 0
    assert torch.equal(made[kept], given[:, :3][kept])
    assert (made - given[:, :3])[..., 10:20, 20:40].abs().max() > 0.01


def test_what_is_far_away_does_not_matter() -> None:
    torch.manual_seed(0)
    network = Refiner().eval()
    with torch.no_grad():
        network.last.weight.normal_(0, 0.3)
        side = network.halo + 64
        given = torch.rand(1, CHANNELS, side // 16 * 16, 64)
        changed = given.clone()
        changed[..., -16:, :] = 0
        one, two = network(given), network(changed)
    assert torch.equal(one[..., : one.shape[2] - 16 - network.halo, :], two[..., : one.shape[2] - 16 - network.halo, :])
    assert not torch.equal(one, two)


def test_the_gate_is_shut_where_the_draft_is_the_picture() -> None:
    confidence = np.ones((40, 40), np.float32)
    confidence[10:20, 10:20] = 0.2
    shut = gate(confidence) == 0
    assert shut[confidence == 1].all()
    assert (gate(confidence)[12:18, 12:18] == 1).all()
    assert (gate(np.ones((8, 8), np.float32)) == 0).all()


def test_hints_do_not_depend_on_how_classes_are_numbered() -> None:
    picture, primitive = scene()
    assert primitive.segments is not None
    swapped = Primitive(1 - primitive.segments, primitive.palette, None, None)
    origin = np.full((72, 96), Origin.FILLED, np.uint8)
    found = Draft(picture, origin, np.full((72, 96), 0.5, np.float32), np.zeros((72, 96, 2), np.float32))
    one = hints(found, primitive, class_colours(picture, primitive))
    two = hints(found, swapped, class_colours(picture, swapped))
    assert np.allclose(one, two)


def test_training_teaches_repair(pair: Pair) -> None:
    run = begin(pair, rate=2e-3)
    before = run.sample()
    truth = torch.from_numpy(run.shown.truth.astype(np.float32))[None]
    for k in range(40):
        run.step(Progress(k, 0.4))
    open_ = torch.from_numpy((run.shown.hints[GATE] > 0.5).copy()).expand_as(truth[0])[None]
    assert open_.any()
    assert (run.sample() - truth).abs()[open_].mean() < (before - truth).abs()[open_].mean()


def test_a_run_goes_on_where_it_was(pair: Pair) -> None:
    first, second = begin(pair), begin(pair)
    for k in range(3):
        first.step(Progress(k, 0.1))
    state = {name: value.clone() for name, value in first.state().items()}
    second.load_state(state)
    assert torch.equal(first.sample(), second.sample())
    assert second.steps.state_dict()["state"].keys() == first.steps.state_dict()["state"].keys()


def test_memory_that_runs_out_means_less_at_a_time(pair: Pair) -> None:
    run = begin(pair, crop=96, batch=4)
    said = []
    while text := run.shrink():
        said.append(text)
        assert np.isfinite(run.step(Progress(0, 0.0))["pixel"])
    assert len(said) == 3
    assert run.batch == 1
    assert run.crop == 64


def test_a_graph_gets_new_weights_without_a_new_export(pair: Pair, tmp_path: Path) -> None:
    run = begin(pair)
    path = export.export(run.graphs(), tmp_path)[0]
    for k in range(3):
        run.step(Progress(k, 0.1))
    graph = run.graphs()[0]
    assert export.update(graph, path)
    given = torch.rand(1, CHANNELS, 64, 96)
    made = onnxruntime.InferenceSession(path).run(None, {"hints": given.numpy()})[0]
    with torch.no_grad():
        assert np.abs(made - graph.module(given).numpy()).max() < export.FLOAT32_BOUND


@pytest.mark.long
def test_a_graph_of_other_weights_is_not_patched(pair: Pair, tmp_path: Path) -> None:
    run = begin(pair)
    graph = run.graphs()[0]
    path = export.export([graph], tmp_path)[0]
    before = path.read_bytes()
    smaller = export.ExportGraph(graph.file, Refiner((16, 32, 48, 64), 2), graph.inputs)
    assert not export.update(smaller, path)
    assert path.read_bytes() == before


def test_before_training_there_is_the_draft(pair: Pair) -> None:
    run = begin(pair)
    first = run.first()
    assert first is not None
    assert first.procedure is Procedure.DRAFT
    assert not first.graphs
    assert run.plan().procedure is Procedure.REFINE


def test_repairs_are_used_only_where_they_bring_undone_edits_closer(pair: Pair) -> None:
    picture, primitive = scene()
    judge = RepairJudge(picture, primitive, CPU, None)
    idle = judge.verdict(Constant(0.0))
    assert idle.areas == ()
    assert idle.seen >= 1
    assert idle.public() == {"edits": EDITS, "areas": idle.seen, "used": 0, "closer": 0.0}
    spoiled = judge.verdict(Constant(1.0))
    assert spoiled.areas == ()
    # One that knows the truth is better wherever there is something to repair.
    truths = iter(judge.truth)
    perfect = judge.verdict(Perfect(truths))
    assert perfect.areas
    assert perfect.public()["closer"] == pytest.approx(1, abs=0.01)
    without = RepairJudge(picture, Primitive(None, None, canny_edges(picture), None), CPU, None)
    assert without.verdict(Constant(0.0)).areas == ()
    assert without.verdict(Perfect(iter(without.truth))).areas is None


class Constant(Refiner):
    """Adds the same to every pixel that may be changed."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :3] + self.value * x[:, GATE : GATE + 1]


class Perfect(Refiner):
    """Knows the truth."""

    def __init__(self, truths: Iterator[torch.Tensor]) -> None:
        super().__init__()
        self.truths = truths

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return next(self.truths)[None]


def test_the_plan_names_the_areas_and_the_manifest_what_was_measured(pair: Pair) -> None:
    run = begin(pair)
    run.step(Progress(0, 0.1))
    measured = run.measured()
    assert measured["used"] == (measured["areas"] if run.plan().areas is None else len(run.plan().areas or ()))
    assert measured["edits"] == EDITS
    assert isinstance(run, MeasuringRun)
