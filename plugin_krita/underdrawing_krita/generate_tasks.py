"""What can be done with a picture alone, without an underdrawing: values without Qt and without Krita."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .client.ensure_model import ModelWish
from .client.job_status import JobStatus
from .client.labels import COUNT, FRAMES, FREEDOM, LIGHT, RECIPES, USUAL_SECONDS
from .client.messages import EngineError
from .interpolate_options import BetweenWish

MOST_PIXELS = 32 << 20  # of one picture that is made
ORIGINAL_BELOW, ORIGINAL_TRAINED = "", "trained"


class Use(Enum):
    """One use. Its value is the engine's name for it, the task of the verb `generate`."""

    HARMONIZE = "harmonize"
    BLEND = "blend"
    REPAINT = "repaint"
    VARY = "vary"
    RESIZE = "resize"
    ANIMATE = "animate"
    ENLARGE = "enlarge"
    BETWEEN = "between"  # a verb of its own

    @property
    def on_picture(self) -> bool:
        """Whether something that was changed in the picture is what it is about."""
        return self in (Use.HARMONIZE, Use.BLEND, Use.REPAINT)

    @property
    def at_once(self) -> bool:
        """Whether there may be folders' models that make what it needs at once; the engine says for which."""
        return self not in (Use.ENLARGE, Use.BETWEEN)

    @property
    def recipe(self) -> str:
        """What is trained for it, where no model of the picture can do it yet; "" where none is trained."""
        return RECIPES.get(self.value, "")

    @property
    def seconds(self) -> float:
        """How long this recipe trains as a rule; 0 without a recipe."""
        return USUAL_SECONDS.get(self.recipe, 0.0)


@dataclass(frozen=True)
class Wish:
    """What a person wants.

    Attributes:
        layer: id of the layer that was pasted, edited or painted; for the others of the picture itself, "" being all
            that is seen.
        original: where the picture without the change is: ORIGINAL_BELOW, ORIGINAL_TRAINED, or a layer's id.
        freedom: 0 faithful to the picture (or the painting), 1 as free as the model can.
        size: width and height of what is made, pixels; for RESIZE.
        times: how much larger; for ENLARGE.
        seconds: of training; 0 for as long as suits. With `maker` of refining; 0 for not at all.
        seed: another one gives another result.
        light: how much of its surroundings' light and colour something pasted takes on, 0 to 1.
        train: iterations and options of the training, in place of `seconds`.
        maker: id of the folder's model that makes a model of the picture at once; "": the picture is trained.
        device: what trains: "auto", "cpu" or "cuda".
        between: what is wanted of the way to another picture; for BETWEEN.
        network_picture: the network's own picture, without the picture's brushwork over it.
    """

    use: Use
    layer: str = ""
    original: str = ORIGINAL_BELOW
    fine_tune: bool = False
    count: int = COUNT
    freedom: float = FREEDOM
    size: tuple[int, int] = (0, 0)
    times: int = 2
    frames: int = FRAMES
    seconds: float = 0.0
    seed: int = 0
    light: float = LIGHT
    train: tuple[tuple[str, Any], ...] = ()
    maker: str = ""
    device: str = "auto"
    between: BetweenWish = field(default_factory=BetweenWish)
    network_picture: bool = False

    def goal(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the new picture, for a picture of this size.

        Raises:
            EngineError: more pixels than can be made at a time.
        """
        width, height = self.size if self.use is Use.RESIZE else (size[0] * self.times, size[1] * self.times)
        if width * height > MOST_PIXELS:
            text = "%d x %d pixels are too many; %d million can be made at a time."
            raise EngineError("too_large", text % (width, height, MOST_PIXELS / (1 << 20)), "Choose a smaller size.")
        return width, height

    def body(self, size: tuple[int, int]) -> dict[str, Any]:
        """Fields of the request `generate` (`between` for BETWEEN), without pictures.

        Args:
            size: width and height of the document.
        """
        as_made = {"network_picture": True} if self.network_picture else {}
        if self.use is Use.BETWEEN:
            return {"seed": self.seed, "freedom": self.freedom, **as_made, **self.between.body()}
        made: dict[str, Any] = {"task": self.use.value, "seed": self.seed, **as_made}
        if self.use in (Use.RESIZE, Use.ENLARGE):
            made["width"], made["height"] = self.goal(size)
        elif self.use is Use.HARMONIZE:
            made["light"] = self.light
        elif self.use is Use.REPAINT:
            made["freedom"] = self.freedom
        elif self.use is Use.VARY:
            made.update(count=self.count, freedom=self.freedom)
        elif self.use is Use.ANIMATE:
            made.update(frames=self.frames, freedom=self.freedom)
        return made

    def model(self, title: str, **more: Any) -> ModelWish:
        """The model that this needs of a picture of that title; `more` is more of `ModelWish`."""
        trains, given = bool(self.seconds) or not self.maker, dict(self.train)
        iterations = given.get("iterations") if trains else None
        budget = (self.seconds or None) if iterations is None else None
        options, device = given.get("options", {}), self.device
        made: dict[str, Any] = {"budget": budget, "iterations": iterations, "options": options, "device": device}
        return ModelWish(self.use.value, title, maker=self.maker, **made, **more)


@dataclass(frozen=True)
class Going:
    """What goes on for a use.

    Attributes:
        text: in a few words; a training says it itself.
        fraction: 0 to 1.
        job: the training, while there is one.
    """

    text: str = ""
    fraction: float = 0.0
    job: JobStatus | None = None

    @property
    def done(self) -> float:
        """How much of it is done, 0 to 1."""
        return self.job.fraction if self.job is not None else self.fraction
