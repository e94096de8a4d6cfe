"""Look into an ONNX graph that may come from a stranger: nothing but plain arithmetic, everything within the file."""

from __future__ import annotations

from pathlib import Path

import onnx

from underdrawing.client.messages import EngineError
from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, Manifest, Procedure

# What our exports use, and what plain convolutional networks use beside it. No control flow, no files, no strings.
OPERATORS = frozenset(
    (
        "Abs Add And AveragePool BatchNormalization Cast CastLike Ceil Clip Concat Constant ConstantOfShape Conv "
        "ConvTranspose Cos CumSum DepthToSpace Div Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements "
        "GatherND Gelu Gemm GlobalAveragePool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid "
        "Identity InstanceNormalization LayerNormalization LeakyRelu Less LessOrEqual Log MatMul Max MaxPool Mean Min "
        "Mod Mul Neg Not Or PRelu Pad Pow Range Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare "
        "Relu Reshape Resize Round ScatterElements ScatterND Shape Sigmoid Sign Sin Size Slice Softmax Softplus "
        "SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Trilu Unsqueeze Where"
    ).split(" ")
)
PLAIN = frozenset(
    getattr(onnx.AttributeProto, kind) for kind in ("FLOAT", "FLOATS", "INT", "INTS", "STRING", "STRINGS", "TENSOR")
)
MOST_BYTES = 2 << 30
MOST_TRAINED = 1024  # pixels of a side of the training pictures of a folder model
MOST_NODES = 20_000
MOST_ELEMENTS = 1 << 29


def check_plan(manifest: Manifest) -> None:
    """Refuse a plan that its renderer could not follow: for pictures without an underdrawing, or for an analogy.

    Raises:
        EngineError: with what is wrong.
    """
    plan = manifest.plan
    if plan.procedure is Procedure.ANALOGY and not (len(plan.graphs) == 1 and len(plan.half) <= 1 and manifest.planes):
        text = "Its plan for an analogy does not fit its graphs."
        raise EngineError("bad_model", text, "Ask for the model file again; this one is not used.")
    if plan.procedure is Procedure.WRITE:
        _check_writing(plan)
        return
    generates = plan.procedure is Procedure.GENERATE
    if not generates and not plan.tasks:
        return
    inputs = plan.graphs[0].inputs if len(plan.graphs) == 1 else ()
    kinds = (Encoding.NOISE, Encoding.PICTURE)
    good = bool(inputs) and inputs[0].channels == 3 and all(i.encoding in kinds and min(i.size) > 0 for i in inputs)
    same = not plan.half or [h.inputs for h in plan.half] == [g.inputs for g in plan.graphs]
    if not (generates and plan.tasks and good and same):
        text = "Its plan for pictures without an underdrawing does not fit its graph."
        raise EngineError("bad_model", text, "Ask for the model file again; this one is not used.")


def _check_writing(plan: ApplyPlan) -> None:
    """Refuse a plan to make models that its renderer could not follow.

    Raises:
        EngineError: with what is wrong.
    """
    good = len(plan.graphs) == 3 and not plan.tasks
    if good:
        writer, *others = plan.graphs
        good = [i.encoding for i in writer.inputs] == [Encoding.PICTURE] and _sensible(writer.inputs[0])
        for graph in others:
            *given, row = graph.inputs
            kinds = (Encoding.NOISE, Encoding.PICTURE)
            good = good and bool(given) and row.encoding is Encoding.WEIGHTS and row.name == "weights"
            good = good and all(i.encoding in kinds and _sensible(i) for i in given)
            good = good and row.channels % max(1, len(others[0].inputs) - 1) == 0
    if not good:
        text = "Its plan to make models does not fit its graphs."
        raise EngineError("bad_model", text, "Ask for the model file again; this one is not used.")


def _sensible(entry: GraphInput) -> bool:
    """Whether an input of a graph that makes models has three channels and a size that such models are trained on."""
    return entry.channels == 3 and min(entry.size) > 0 and max(entry.size) <= MOST_TRAINED


def check_graph(path: Path, spec: GraphSpec) -> None:
    """Refuse a graph that is damaged, does more than arithmetic, reads other files, or does not fit its manifest.

    Raises:
        EngineError: with what is wrong.
    """

    def refuse(text: str) -> EngineError:
        return EngineError("bad_model", f"{path.name} {text}.", "Ask for the model file again; this one is not used.")

    if path.stat().st_size > MOST_BYTES:
        raise refuse("is larger than 2 GiB")
    try:
        model = onnx.load(str(path), load_external_data=False)
        graph = model.graph
    except Exception:  # noqa: BLE001 - a parser's fault on a stranger's bytes, whatever its type
        raise refuse("is not a readable ONNX graph") from None
    if len(graph.node) > MOST_NODES:
        raise refuse("has too many nodes")
    if model.functions:
        # A few that call each other twice unfold into more nodes than any memory holds.
        raise refuse("holds functions of its own, which models of this program do not")
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            raise refuse(f"uses the operator {node.op_type[:40]!r}, which models of this program do not")
        if any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute):
            raise refuse("holds graphs within graphs")
        if any(a.type not in PLAIN for a in node.attribute):
            raise refuse("holds tensors where models of this program do not")
    if graph.sparse_initializer:
        raise refuse("holds sparse tensors, which models of this program do not")
    tensors = [*graph.initializer, *(a.t for node in graph.node for a in node.attribute if a.HasField("t"))]
    for tensor in tensors:
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise refuse("wants to read other files")
        count = 1
        for size in tensor.dims:
            count *= max(0, size)
        if count > MOST_ELEMENTS:
            raise refuse("declares a tensor of impossible size")
    named = {entry.name for entry in graph.input} - {tensor.name for tensor in graph.initializer}
    if named != {entry.name for entry in spec.inputs} or spec.output not in {entry.name for entry in graph.output}:
        raise refuse("does not have the inputs and outputs that its manifest promises")
