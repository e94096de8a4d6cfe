"""`python3 installer doctor`: one page of lines, each good or bad, and for the bad ones what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ud_env import Environment
from ud_machine import choose, clean_environment, free_megabytes, gpu
from ud_report import Reporter


class Verdict(Enum):
    """How a line stands."""

    GOOD = "✓"
    NOTE = "·"
    BAD = "✗"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    verdict: Verdict
    text: str
    remedy: str = ""


# Runs in the environment: a one-node graph on every provider, and what the engine's own parts say.
_INSIDE = """
import json, importlib.metadata as md, warnings
warnings.simplefilter("ignore")
names = {d.metadata["Name"] for d in md.distributions()}
said = {"flavours": sorted(names & {"onnxruntime", "onnxruntime-gpu"})}
import torch
said["torch"] = torch.__version__
said["cuda"] = torch.version.cuda if torch.cuda.is_available() else None
import onnx, onnxruntime as ort
from onnx import TensorProto, helper
if hasattr(ort, "preload_dlls") and said["cuda"]:
    ort.preload_dlls()
graph = helper.make_graph(
    [helper.make_node("Add", ["a", "a"], ["b"])], "g",
    [helper.make_tensor_value_info("a", TensorProto.FLOAT, [2])],
    [helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()
import numpy as np
said["providers"] = {}
for name in ort.get_available_providers():
    if name not in ("CPUExecutionProvider", "CUDAExecutionProvider"):
        continue
    try:
        ort.set_default_logger_severity(4)
        session = ort.InferenceSession(model, providers=[name])
        good = session.run(None, {"a": np.ones(2, np.float32)})[0].tolist() == [2.0, 2.0]
        said["providers"][name] = "runs" if good and session.get_providers()[0] == name else "does not run"
    except Exception as error:
        said["providers"][name] = str(error).splitlines()[0]
from underdrawing import weights
said["weights"] = str(weights.folder())
said["missing"] = {n: weights.CATALOGUE[n].without for n in weights.missing()}
print(json.dumps(said))
"""


def examine(environment: Environment) -> list[Line]:
    """Look at everything. Never raises for what it finds."""
    lines: list[Line] = []
    card = gpu()
    lines.append(Line(Verdict.NOTE, choose(card).why))
    lines.append(Line(Verdict.NOTE, f"{free_megabytes(environment.folder)} MB are free on the disk."))
    if not environment.folder.exists():
        return [*lines, Line(Verdict.BAD, "Underdrawing is not installed here.", "Run: python3 installer engine")]
    state = environment.state()
    if not environment.ours():
        lines.append(Line(Verdict.NOTE, f"{environment.folder} was not made by the installer."))
    elif state.get("running"):
        remedy = "Run: python3 installer engine   (it goes on where it stopped)"
        lines.append(Line(Verdict.BAD, f"The installation stopped at the step '{state['running']}'.", remedy))
    command = [str(environment.python), "-c", _INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    environment.report.log(done.stderr)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return [*lines, Line(Verdict.BAD, f"The engine cannot be loaded: {why}", "Run: python3 installer engine")]
    return lines + _judge(json.loads(done.stdout.strip().splitlines()[-1]), card is not None)


def _judge(said: dict[str, Any], card: bool) -> list[Line]:
    """Turn what the environment said into lines."""
    lines = [Line(Verdict.GOOD, f"The engine's packages can be loaded (torch {said['torch']}).")]
    if len(said["flavours"]) > 1:
        remedy = "Run: python3 installer remove   and then: python3 installer engine"
        lines.append(
            Line(Verdict.BAD, "onnxruntime and onnxruntime-gpu are both installed and break each other.", remedy)
        )
    for name, answer in said["providers"].items():
        verdict = Verdict.GOOD if answer == "runs" else Verdict.BAD
        remedy = "" if answer == "runs" else "Update the NVIDIA driver, or use the CPU: python3 installer engine --cpu"
        if name.startswith("CUDA") and answer != "runs" and not card:
            verdict, remedy = Verdict.NOTE, ""
        lines.append(Line(verdict, f"A small graph on {name}: {answer}.", remedy))
    if card and said["cuda"] is None:
        lines.append(
            Line(Verdict.NOTE, "There is a card, but torch runs on the CPU.", "python3 installer engine --cuda")
        )
    for name, cost in said["missing"].items():
        lines.append(
            Line(Verdict.NOTE, f"The weights {name} are missing: {cost}.", f"underdrawing weights fetch {name}")
        )
    if not said["missing"]:
        lines.append(Line(Verdict.GOOD, f"The pretrained weights are in {said['weights']}."))
    return lines


def doctor(environment: Environment, report: Reporter) -> int:
    """Print the page; 1 when a line is bad."""
    lines = examine(environment)
    report.say(f"Underdrawing on {sys.platform}, environment {environment.folder}")
    for line in lines:
        report.say(f"  {line.verdict.value} {line.text}")
        if line.remedy:
            report.say(f"      {line.remedy}")
    return 1 if any(line.verdict is Verdict.BAD for line in lines) else 0
