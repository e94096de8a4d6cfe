"""What a model says about itself: the one thing that training, the library and the renderer share.

The standard library alone: the daemon reads manifests without loading torch, onnxruntime or NumPy.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST_FILE = "manifest.json"
CHECKPOINT_FILE = "checkpoint.safetensors"  # what a model needs to continue training; models from elsewhere lack it
MOST_TEXT = 200  # characters: lists of models, in which such texts stand, must fit into one message
MOST_NAME = 10_000  # characters of a class's name, which people choose
MOST_PLANES = 16
MOST_WEIGHTS = 1 << 24  # numbers that one graph writes for another


class ManifestError(ValueError):
    """A manifest that is damaged, hostile or from another version; the text says which."""


class PlaneKind(StrEnum):
    """How the values of an input plane are meant."""

    CLASSES = "classes"  # hard-edged areas, each pixel one class of a palette
    LINES = "lines"  # outlines: 0 is a line, 255 is none; soft values are allowed
    COLOUR = "colour"  # freely painted colour, nothing is snapped


class Encoding(StrEnum):
    """How a plane becomes the input tensor of a graph."""

    ONE_HOT = "one_hot"  # (1, classes, H, W), 0 or 1
    COLOURS = "colours"  # (1, 3, H, W) in [-1, 1]: the palette's colours, or free colour
    SIGNED = "signed"  # (1, 1, H, W) in [-1, 1]: lines
    NOISE = "noise"  # (1, channels, H, W), drawn anew with the job's seed, standard normal
    PLACES = "places"  # (1, 2, H, W) in [-1, 1]: x and y of each pixel in the whole training picture
    HINTS = "hints"  # (1, 11, H, W): a draft and what is known about it, see `draft.hints`
    PICTURE = "picture"  # (1, 3, H, W) in [-1, 1]: a whole picture, the training picture or what became of it
    WEIGHTS = "weights"  # (1, channels, 1, 1): the weights of a network, as another graph wrote them


FIXED_NOISE = "fixed noise"  # `plane` of a noise input for which the picture itself has a fixed noise; else it has none


class Composite(StrEnum):
    """What of the generated pixels counts as the result."""

    MASK = "mask"  # only what lies under the edit mask
    WHOLE = "whole"  # the whole picture (variations, other sizes, other layouts)


@dataclass(frozen=True)
class PlaneSpec:
    """An input plane that a method takes."""

    name: str  # "segments", "edges", "paint", "picture", ...
    kind: PlaneKind
    required: bool = True


@dataclass(frozen=True)
class GraphInput:
    """A named input of an exported graph and where its values come from."""

    name: str
    plane: str  # the plane's name; "source:NAME" is the plane as in training, not as it was edited
    encoding: Encoding
    channels: int
    size: tuple[int, int] = (0, 0)  # width and height where that is not the picture's own: of a stage of a pyramid


@dataclass(frozen=True)
class GraphSpec:
    """One exported graph: its file in the model's folder, its inputs, the name of its output."""

    file: str
    inputs: tuple[GraphInput, ...]
    output: str = "picture"  # (1, 3, H, W) in [-1, 1]
    precision: str = "float32"


class Procedure(StrEnum):
    """What the renderer does beside running graphs."""

    NONE = ""
    DRAFT = "draft"  # drafts, and runs nothing
    REFINE = "refine"  # drafts, and has the graph repair what is unsure
    ANALOGY = "analogy"  # the graph says what changes; the result consists of the picture's own patches
    GENERATE = "generate"  # no underdrawing is followed: the plan's tasks say what can be made
    WRITE = "write"  # the first graph looks at any picture and writes the weights of the others: models of it


class Task(StrEnum):
    """What can be made of a picture without an underdrawing."""

    HARMONIZE = "harmonize"  # something pasted takes on the picture's light, colours and brushwork
    BLEND = "blend"  # a rough edit's seams and textures become natural
    REPAINT = "repaint"  # a rough painting becomes a picture of the same world
    VARY = "vary"  # other pictures of the same kind
    RESIZE = "resize"  # another size or shape, generated
    ANIMATE = "animate"  # a short clip that ends where it begins
    ENLARGE = "enlarge"  # more pixels, of the picture's own fine detail


AT_ONCE = tuple(task for task in Task if task is not Task.ENLARGE)  # what models that a folder's model makes can do


@dataclass(frozen=True)
class ApplyPlan:
    """How a result is made from the graphs. The renderer knows nothing else about a method.

    Attributes:
        graphs: run one after the other; empty where a method needs no training and no graph.
        half: the same in float16, for devices that are faster with it; empty where there are none.
        procedure: what is done beside running graphs.
        stride: padded sides are multiples of this many pixels.
        minimum: padded sides are at least this many pixels.
        halo: pixels around an area that can influence it; a tile or an edited region is run with this
            much of its surroundings. None means that the graph must see the whole picture.
        scale: size of what the model was trained on divided by the size of the picture (1 means native).
        region: x, y, width, height of what was trained on, in pixels of the whole picture.
        composite: what of the output counts.
        tasks: what can be made without an underdrawing; empty for methods that follow one.
        network_picture: the result is the network's own picture, enlarged smoothly where it is smaller; else the
            picture's own brushwork and detail go over it.
        areas: classes in which the graph's repairs count (`Procedure.REFINE`), as they were found better there than the
            draft; None: in all.
    """

    graphs: tuple[GraphSpec, ...] = ()
    half: tuple[GraphSpec, ...] = ()
    procedure: Procedure = Procedure.NONE
    stride: int = 1
    minimum: int = 64
    halo: int | None = None
    scale: float = 1.0
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    composite: Composite = Composite.MASK
    tasks: tuple[Task, ...] = ()
    network_picture: bool = False
    areas: tuple[int, ...] | None = None


@dataclass(frozen=True)
class PictureInfo:
    """The picture trained on, so that it is recognised again."""

    width: int  # of what was trained on: the region
    height: int
    full_width: int  # of the whole picture
    full_height: int
    depth: str  # "u8", "u16", "f16", "f32"
    channels: int  # 1 or 3, without alpha
    hash: str  # sha256 of the pixels that the model saw
    file: str  # the copy in the model's folder, at the picture's own depth
    profile_hash: str = ""  # sha256 of the ICC profile, "" where there is none
    linear: bool = False  # float pictures in linear light
    white: float = 1.0  # the value that the model took as 1 (above 1 only for high dynamic range)


@dataclass(frozen=True)
class Manifest:
    """Everything that is known about a trained model."""

    id: str
    name: str
    created: str  # ISO 8601, UTC
    method: str
    recipe: str
    planes: tuple[PlaneSpec, ...]
    plan: ApplyPlan
    picture: PictureInfo
    palette: tuple[dict[str, Any], ...] = ()  # {"colour": [r, g, b], "name": "..."}, in class order
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)  # iterations, seconds, losses, export differences
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # file name in the folder -> sha256
    format: int = FORMAT

    def to_json(self) -> str:
        """The manifest as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest; every field is checked, as the text may come from a stranger.

        Raises:
            ManifestError: not JSON, a field missing or of the wrong type, or a newer format.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"The manifest is not readable: {error}") from None
        if not isinstance(raw, dict):
            raise ManifestError("The manifest is not an object.")
        if raw.get("format") != FORMAT:
            raise ManifestError(f"The manifest has format {raw.get('format')!r}; this version reads format {FORMAT}.")
        try:
            return _manifest(raw)
        except ManifestError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ManifestError(f"The manifest is damaged: {type(error).__name__} {error}") from None

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a model's folder."""
        try:
            return cls.from_json((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ManifestError(f"The manifest of {folder.name} cannot be read: {error}") from None


def plain_name(name: object) -> str:
    """A file name without any folder in it.

    Raises:
        ManifestError: anything that could lead out of the model's folder.
    """
    if not isinstance(name, str) or not name or name != Path(name).name or name.startswith(".") or "\\" in name:
        raise ManifestError(f"{name!r} is not a plain file name.")
    return name


def _text(raw: dict[str, Any], key: str, default: str | None = None, most: int = MOST_TEXT) -> str:
    value = raw[key] if default is None else raw.get(key, default)
    if not isinstance(value, str) or len(value) > most:
        raise ManifestError(f"{key} is not a text of at most {most} characters.")
    return value


def _number(value: object, key: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ManifestError(f"{key} is not a number from {low} to {high}.")
    return value


def _integer(value: object, key: str, low: int, high: int) -> int:
    if not isinstance(value, int):
        raise ManifestError(f"{key} is not a whole number.")
    return int(_number(value, key, low, high))


def _size(raw: Any) -> tuple[int, int]:
    width, height = (_integer(side, "size", 0, 1 << 14) for side in raw)
    return width, height


def _graphs(raw: list[Any]) -> tuple[GraphSpec, ...]:
    return tuple(
        GraphSpec(
            file=plain_name(g["file"]),
            inputs=tuple(
                GraphInput(
                    name=_text(i, "name"),
                    plane=_text(i, "plane"),
                    encoding=Encoding(i["encoding"]),
                    channels=_integer(i["channels"], "channels", 1, MOST_WEIGHTS),
                    size=_size(i.get("size", [0, 0])),
                )
                for i in g["inputs"]
            ),
            output=_text(g, "output"),
            precision=_text(g, "precision"),
        )
        for g in raw
    )


def _plan(raw: dict[str, Any]) -> ApplyPlan:
    region = tuple(_integer(v, "region", 0, 1 << 20) for v in raw["region"])
    if len(region) != 4:
        raise ManifestError("region is not x, y, width, height.")
    halo, areas = raw["halo"], raw.get("areas")
    return ApplyPlan(
        graphs=_graphs(raw["graphs"]),
        half=_graphs(raw["half"]),
        procedure=Procedure(raw["procedure"]),
        stride=_integer(raw["stride"], "stride", 1, 1024),
        minimum=_integer(raw["minimum"], "minimum", 1, 4096),
        halo=None if halo is None else _integer(halo, "halo", 0, 1 << 16),
        scale=_number(raw["scale"], "scale", 1e-4, 64.0),
        region=(region[0], region[1], region[2], region[3]),
        composite=Composite(raw["composite"]),
        tasks=tuple(Task(task) for task in raw.get("tasks", [])[: len(Task)]),
        network_picture=bool(raw.get("network_picture", False)),
        areas=None if areas is None else tuple(_integer(area, "areas", 0, 255) for area in areas[:256]),
    )


def _palette(raw: list[Any]) -> tuple[dict[str, Any], ...]:
    if len(raw) > 256:
        raise ManifestError("The palette has more than 256 colours.")
    return tuple(
        {"colour": [_integer(v, "colour", 0, 255) for v in c["colour"]], "name": _text(c, "name", most=MOST_NAME)}
        for c in raw
    )


def _manifest(raw: dict[str, Any]) -> Manifest:
    picture = raw["picture"]
    for key in ("hyperparameters", "figures", "versions", "files"):
        if not isinstance(raw[key], dict):
            raise ManifestError(f"{key} is not an object.")
    if len(raw["planes"]) > MOST_PLANES:
        raise ManifestError(f"There are more than {MOST_PLANES} planes.")
    return Manifest(
        id=plain_name(raw["id"]),
        name=_text(raw, "name"),
        created=_text(raw, "created"),
        method=_text(raw, "method"),
        recipe=_text(raw, "recipe"),
        planes=tuple(PlaneSpec(_text(p, "name"), PlaneKind(p["kind"]), bool(p["required"])) for p in raw["planes"]),
        plan=_plan(raw["plan"]),
        picture=PictureInfo(
            width=_integer(picture["width"], "width", 1, 1 << 20),
            height=_integer(picture["height"], "height", 1, 1 << 20),
            full_width=_integer(picture["full_width"], "full_width", 1, 1 << 20),
            full_height=_integer(picture["full_height"], "full_height", 1, 1 << 20),
            depth=_text(picture, "depth"),
            channels=_integer(picture["channels"], "channels", 1, 3),
            hash=_text(picture, "hash"),
            file=plain_name(picture["file"]),
            profile_hash=_text(picture, "profile_hash", ""),
            linear=bool(picture.get("linear", False)),
            white=_number(picture.get("white", 1.0), "white", 1e-6, 1e9),
        ),
        palette=_palette(raw["palette"]),
        hyperparameters=raw["hyperparameters"],
        figures=raw["figures"],
        versions={_text({"k": k}, "k"): str(v) for k, v in raw["versions"].items()},
        files={plain_name(k): str(v) for k, v in raw["files"].items()},
    )
