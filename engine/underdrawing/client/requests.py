"""Every request of the protocol as a dataclass: its fields, their defaults and limits, the same on both ends.

A client builds one and sends `to_body()`; the engine reads it with `from_body()`. Either way its fields are checked
when it is made, so nothing that cannot be right is sent or acted on. docs/protocol.md says what the fields mean.
Requests about the engine itself, jobs and the library are in `service_requests`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Dict, List, Optional, Type, Union

from . import request_fields as checks
from .messages import EngineError
from .request_fields import Request, wrong
from .service_requests import Flag, Text

MOST_SEED = 2**63 - 1
MOST_POINTS = 64  # that one thing is pointed at by
MOST_COMPARED = 64  # models of one agreement
MOST_LIFTED = 32  # things of one apply
MOST_EDITS = 32  # of one list
MOST_AREAS = 64  # parts of another picture
MOST_COUNT = 16  # variations of one request
MOST_FRAMES = 240  # of one animation
MOST_SIDE = 16_384  # pixels of a side of what is generated
MOST_PIXELS = 32 << 20  # of one generated picture
MOST_PICTURES = 2048  # of one training

KINDS = ("edges", "segments", "super", "paint")
ON_A_PICTURE = ("harmonize", "blend", "repaint")  # these tasks change a given picture, and answer as `apply` does
TASKS = (*ON_A_PICTURE, "vary", "resize", "animate", "enlarge")
INSTANT_TASKS = ("vary", "resize", "animate", *ON_A_PICTURE)
SCALES = ("all", "coarse", "middle", "fine")

Json = Dict[str, Any]
Object = Annotated[Json, checks.kind(dict)]
Reference = Annotated[Json, checks.reference]
Planes = Annotated[Dict[str, Json], checks.planes]
Palette = Annotated[List[Json], checks.kind(list)]
Positive = Annotated[float, checks.positive]
Share = Annotated[float, checks.number(0, 1)]
Side = Annotated[int, checks.whole(16, MOST_SIDE)]
Seed = Annotated[int, checks.whole(0, MOST_SEED)]
Grow = Annotated[int, checks.whole(0, 10_000)]
Feather = Annotated[float, checks.number(0, 1000)]
Blend = Annotated[str, checks.one_of("none", "poisson")]
Order = Annotated[str, checks.one_of("", "LA", "RGBA", "BGRA")]


@dataclass(frozen=True)
class PrimitiveRequest(Request):
    """Make an underdrawing of a picture."""

    verb = "primitive"
    picture: Reference
    kind: Annotated[str, checks.one_of(*KINDS)]
    options: Object = field(default_factory=dict)
    order: Order = ""


@dataclass(frozen=True)
class PickRequest(Request):
    """What a person means who points at a picture."""

    verb = "pick"
    picture: Reference
    inside: Annotated[List[List[float]], checks.points(MOST_POINTS)] = field(default_factory=list)
    outside: Annotated[List[List[float]], checks.points(MOST_POINTS)] = field(default_factory=list)
    mask: Optional[Reference] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inside and self.mask is None:
            raise wrong("Nothing was pointed at.", "Send a point inside of the thing, or a mask.")


@dataclass(frozen=True)
class LiftRequest(Request):
    """A thing of a picture as a layer of its own."""

    verb = "lift"
    picture: Reference
    mask: Reference
    order: Order = ""


@dataclass(frozen=True)
class RegionRequest(Request):
    """Change a region on all planes."""

    verb = "region"
    planes: Planes
    region: Annotated[Json, checks.region]
    operation: Text
    palette: Optional[Palette] = None
    into: Optional[Annotated[Json, checks.region]] = None
    picture: Optional[Reference] = None
    dx: Optional[float] = None
    dy: Optional[float] = None
    factor: Optional[Union[float, List[float]]] = None
    centre: Optional[List[float]] = None
    axis: Optional[str] = None
    order: Order = ""


@dataclass(frozen=True)
class LayoutRequest(Request):
    """Another picture, segmented in a model's palette."""

    verb = "layout"
    model: Text
    picture: Reference
    areas: Optional[Annotated[int, checks.whole(1, MOST_AREAS)]] = None
    match: Annotated[Dict[str, str], checks.class_match(MOST_AREAS)] = field(default_factory=dict)
    order: Order = ""


@dataclass(frozen=True)
class AgreementRequest(Request):
    """From which models' underdrawings these planes were painted, or from one that was made and has no model yet."""

    verb = "agreement"
    models: Annotated[List[str], checks.texts(MOST_COMPARED)]
    planes: Planes
    picture_hash: Optional[Annotated[str, checks.hashed]] = None


@dataclass(frozen=True)
class EditsRequest(Request):
    """What was painted on a model's underdrawing, one by one, and the planes without some of it."""

    verb = "edits"
    model: Text
    planes: Planes
    without: Annotated[List[int], checks.positions(MOST_EDITS)] = field(default_factory=list)
    order: Order = ""


@dataclass(frozen=True)
class ApplyRequest(Request):
    """The picture that follows from an edited underdrawing, and from things that were lifted off it."""

    verb = "apply"
    model: Optional[Text] = None
    planes: Annotated[Dict[str, Json], checks.planes_or_none] = field(default_factory=dict)
    picture: Optional[Reference] = None
    mask: Optional[Reference] = None
    mask_mode: Annotated[str, checks.one_of("limit", "only", "add")] = "limit"
    grow: Optional[Grow] = None
    feather: Feather = 3.0
    blend: Blend = "none"
    whole: Flag = False
    seed: Seed = 0
    baked: Flag = False
    merged: Flag = False
    order: Order = ""
    lifted: Annotated[List[Json], checks.lifted(MOST_LIFTED)] = field(default_factory=list)
    fill: Annotated[str, checks.one_of("draft", "lama")] = "draft"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model is None and (not self.lifted or self.planes or self.picture is None):
            text = "The request lacks the field 'model'; only lifted things of a picture need none."
            raise wrong(text, "Name the model, or send the picture, what was lifted, and no planes.")
        if not self.lifted:
            checks.planes("planes", self.planes)


@dataclass(frozen=True)
class GenerateRequest(Request):
    """Pictures without an underdrawing."""

    verb = "generate"
    model: Text
    task: Annotated[str, checks.one_of(*TASKS)]
    picture: Optional[Reference] = None
    mask: Optional[Reference] = None
    count: Annotated[int, checks.whole(1, MOST_COUNT)] = 4
    frames: Annotated[int, checks.whole(2, MOST_FRAMES)] = 32
    freedom: Share = 0.3
    light: Share = 0.35
    width: Optional[Side] = None
    height: Optional[Side] = None
    grow: Optional[Grow] = None
    feather: Optional[Feather] = None
    blend: Blend = "none"
    seed: Seed = 0
    network_picture: Flag = False
    baked: Flag = False
    merged: Flag = False
    order: Order = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        width, height = self.width, self.height
        if (width is None) != (height is None):
            raise wrong("Width and height go together.", "Send both, in pixels.")
        if self.task in ("resize", "enlarge") and width is None:
            raise wrong("To %s, width and height are needed." % self.task, "Send both, in pixels.")
        if width is not None and height is not None and width * height > MOST_PIXELS:
            text = "%d x %d pixels are too many; %d million can be made at a time."
            raise wrong(text % (width, height, MOST_PIXELS >> 20), "Choose a smaller size.")
        if self.task in ON_A_PICTURE and self.picture is None:
            raise wrong("To %s, the picture as it was changed is needed." % self.task, "Send it as `picture`.")


@dataclass(frozen=True)
class InstantRequest(Request):
    """Make a model of a picture immediately, from a folder model."""

    verb = "instant"
    model: Text
    picture: Reference
    task: Annotated[str, checks.one_of(*INSTANT_TASKS)] = "vary"
    name: Optional[Text] = None


@dataclass(frozen=True)
class BetweenRequest(Request):
    """Pictures on the way from one to another."""

    verb = "between"
    model: Text
    picture: Reference
    other: Reference
    count: Annotated[int, checks.whole(2, MOST_FRAMES)] = 5
    at: Annotated[List[float], checks.places(MOST_FRAMES)] = field(default_factory=list)
    scales: Annotated[str, checks.one_of(*SCALES)] = "all"
    freedom: Share = 0.0
    seed: Seed = 0
    network_picture: Flag = False
    order: Order = ""


@dataclass(frozen=True)
class TrainRequest(Request):
    """Begin a training."""

    verb = "train"
    picture: Reference
    planes: Annotated[Dict[str, Json], checks.planes_or_none] = field(default_factory=dict)
    palette: Optional[Palette] = None
    as_made: Optional[Annotated[str, checks.hashed]] = None
    edited: Annotated[Dict[str, Json], checks.planes_or_none] = field(default_factory=dict)
    name: Optional[Text] = None
    method: Optional[Text] = None
    recipe: Optional[Text] = None
    options: Object = field(default_factory=dict)
    iterations: Optional[Positive] = None
    budget: Optional[Positive] = None
    region: Optional[Annotated[List[int], checks.area]] = None
    seed: Optional[Seed] = None
    device: Annotated[str, checks.one_of("auto", "cpu", "cuda")] = "auto"
    threads: Optional[Annotated[int, checks.whole(1, 1024)]] = None
    on_disconnect: Annotated[str, checks.one_of("continue", "cancel")] = "continue"
    key: Text = ""
    base: Optional[Text] = None
    composite: Optional[Reference] = None
    mask: Optional[Reference] = None
    pictures: Annotated[List[Json], checks.references(MOST_PICTURES)] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.planes and not (self.method or self.recipe or self.base or self.as_made):
            raise EngineError("plane_missing", "The underdrawing has no plane.", "Send segments, edges or paint.")
        if self.base and (self.composite is None) != (self.mask is None):
            raise wrong("To fine-tune for a changed picture, the picture and its mask are needed.", "Send both.")


def _with_verbs(kind: Type[Request]) -> List[Type[Request]]:
    own = [kind] if "verb" in vars(kind) else []
    return own + [leaf for child in kind.__subclasses__() for leaf in _with_verbs(child)]


REQUESTS: Dict[str, Type[Request]] = {kind.verb: kind for kind in _with_verbs(Request)}
