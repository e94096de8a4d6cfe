"""Exports of a hypernetwork's training, and the fine-tuning of what it makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.engine.train.meta_runs import CPU, SIZE, SMALL, Begin, begin, exact, train, training
from underdrawing.render.verify_export import compare
from underdrawing.store.manifest import Encoding, Procedure, Task
from underdrawing.train import export
from underdrawing.train.method import Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.meta.finetune import RefinementRun

__all__ = ["begin", "exact"]  # fixtures


def test_one_pictures_export_is_what_was_trained(begin: Begin, tmp_path: Path) -> None:
    run = begin(1, "meta-single")
    train(run, 0, 3, 3)
    graphs, plan = run.graphs(), run.plan()
    assert plan.procedure is Procedure.GENERATE
    assert plan.tasks == (Task.VARY, Task.RESIZE, Task.ANIMATE)
    assert [i.encoding for i in plan.graphs[0].inputs] == [Encoding.NOISE] * 3
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    assert compare(tmp_path, "generator.onnx") < 1e-4


@pytest.mark.long
def test_a_folders_exports_are_what_was_trained(begin: Begin, tmp_path: Path) -> None:
    run = begin()
    train(run, 0, 3, 3)
    graphs, plan = run.graphs(), run.plan()
    assert [g.file for g in plan.graphs] == ["writer.onnx", "generator.onnx", "painter.onnx"]
    assert plan.procedure is Procedure.WRITE
    assert plan.tasks == ()
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    for graph in plan.graphs:
        assert compare(tmp_path, graph.file) < 1e-4
    # What the writer writes for a picture makes, with the fixed noise, what the training shows of it.
    by_name = {g.file: g for g in graphs}
    row = by_name["writer.onnx"].module(run.looked_at[1:2])
    made = by_name["generator.onnx"].module(*run._fixed(1), row)
    assert torch.allclose(made[0], run._shown(1).clamp(-1, 1), atol=1e-5)
    assert run.sample().shape == (1, 3, SIZE[1], SIZE[0])


@pytest.mark.long
def test_a_model_made_without_training_is_fine_tuned(begin: Begin, tmp_path: Path) -> None:
    folder = begin()
    train(folder, 0, 3, 3)
    row = {g.file: g for g in folder.graphs()}["writer.onnx"].module(folder.looked_at[:1])
    method, base = find("meta"), {"weights": row.detach(), "start": torch.tensor(0)}
    recipe = method.recipes["instant"].with_options({**SMALL, "refine_rate": 5e-3})

    def start(known: dict[str, torch.Tensor]) -> RefinementRun:
        run = method.begin(replace(training(1), base=known), recipe, CPU, 0)
        assert isinstance(run, RefinementRun)
        return run

    run = start(base)
    # It begins with what the folder's model makes of the picture.
    assert torch.allclose(run.sample()[0], folder._shown(0).clamp(-1, 1), atol=1e-4)
    before = float((run.sample() - run.picture).abs().mean())
    first = [run.step(Progress(k, k / 20)) for k in range(10)]
    state = {key: value.clone() for key, value in run.state().items()}
    again = start(base)
    again.load_state(state)
    for k in range(10, 20):
        assert again.step(Progress(k, k / 20)) == pytest.approx(run.step(Progress(k, k / 20)), rel=1e-4)
    assert float((run.sample() - run.picture).abs().mean()) < 0.8 * before
    assert first[0].keys() == {"critic", "adversarial", "reconstruction"}
    painter = start({**state, "start": torch.tensor(1)})
    for one, tasks in ((run, Task.VARY), (painter, Task.HARMONIZE)):
        graphs, plan = one.graphs(), one.plan()
        assert tasks in plan.tasks
        export.export(graphs, tmp_path)
        export.write_check(graphs, plan, tmp_path)
        assert compare(tmp_path, "generator.onnx") < 1e-4
    for wrong in ({}, {"weights": row[:, 5:], "start": torch.tensor(0)}):
        with pytest.raises(TrainingError) as caught:
            start(wrong)
        assert caught.value.code == "wrong_task"
    with pytest.raises(TrainingError, match="can be refined"):
        method.begin(training(1), recipe, CPU, 0)
