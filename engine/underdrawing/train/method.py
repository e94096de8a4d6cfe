"""The one interface that everything turns on: what a method is.

A method says as data which planes it takes, which recipes it has and how its result is applied; a `Run` is one
training of it. The loop, the queue, the library, the renderer and the plug-ins know nothing else about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from underdrawing.store.manifest import ApplyPlan, PlaneSpec
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device


class TrainingError(Exception):
    """Training cannot go on. `code` is for programs, the text says what is wrong, `hint` what to do."""

    def __init__(self, code: str, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.code, self.hint = code, hint


Table = Mapping[str, Mapping[str, Any]]  # hyperparameters by their source: paper and section, or a measurement


@dataclass(frozen=True)
class Recipe:
    """Every hyper-parameter of a training, each with its source.

    Attributes:
        name: how it is asked for.
        title: one line for people.
        figures: a frozen dataclass of the method's own.
        sources: for every field of `figures`, and for `iterations` where they are given, where the value comes from.
        iterations: how long it trains when neither iterations nor a budget were asked for; None: `budget` counts.
        budget: seconds, likewise.
    """

    name: str
    title: str
    figures: Any
    sources: Mapping[str, str]
    iterations: int | None = None
    budget: float | None = None

    def vary(self, name: str, title: str, table: Table, budget: float | None = None) -> Recipe:
        """A recipe that differs from this one in the hyperparameters of the table, and in its length."""
        known = {key: source for key, source in self.sources.items() if key != "iterations"}
        values, sources = _by_name(table)
        iterations = values.pop("iterations", None)
        return Recipe(name, title, replace(self.figures, **values), {**known, **sources}, iterations, budget)

    def with_options(self, options: Mapping[str, Any]) -> Recipe:
        """The recipe with single figures replaced, as asked for by name; texts are read as the figure's own type.

        Raises:
            TrainingError: an unknown name or a value of the wrong type.
        """
        known = {f.name: getattr(self.figures, f.name) for f in fields(self.figures)}
        changes: dict[str, Any] = {}
        for key, value in options.items():
            if key not in known:
                names = ", ".join(sorted(known))
                raise TrainingError(
                    "unknown_option", f"The recipe {self.name!r} has no option {key!r}.", f"It has: {names}."
                )
            changes[key] = _as_type_of(known[key], value, key)
        sources = {**self.sources, **dict.fromkeys(changes, "asked for by the user")}
        return replace(self, figures=replace(self.figures, **changes), sources=sources)


def make_recipe(name: str, title: str, kind: type, table: Table, budget: float | None = None) -> Recipe:
    """A recipe from scratch: the table has every field of `kind`, and `iterations` unless there is a budget."""
    values, sources = _by_name(table)
    iterations = values.pop("iterations", None)
    return Recipe(name, title, kind(**values), sources, iterations, budget)


def _by_name(table: Table) -> tuple[dict[str, Any], dict[str, str]]:
    """Values and sources by hyperparameter."""
    rows = [(name, value, source) for source, values in table.items() for name, value in values.items()]
    return {name: value for name, value, _ in rows}, {name: source for name, _, source in rows}


def _as_type_of(present: Any, value: Any, key: str) -> Any:
    """Read `value` (often a text from a command line) as the type that the figure has now."""
    try:
        if isinstance(present, bool):
            if str(value).lower() in ("1", "true", "yes", "on"):
                return True
            if str(value).lower() in ("0", "false", "no", "off"):
                return False
            raise ValueError
        if isinstance(present, tuple):
            parts = value.split(",") if isinstance(value, str) else list(value)
            return tuple(float(p) for p in parts)
        return type(present)(value)
    except (TypeError, ValueError):
        raise TrainingError(
            "bad_option", f"{value!r} does not fit the option {key!r}.", f"It is {present!r} in this recipe."
        ) from None


@dataclass(frozen=True)
class Progress:
    """Where a training stands; what schedules depend on.

    Attributes:
        iteration: from 0.
        fraction: of the whole training, 0 to 1: of its iterations or of its budget in seconds.
    """

    iteration: int
    fraction: float


@dataclass(frozen=True)
class Stage:
    """A part of a training. Methods that train one network from start to end have a single one."""

    name: str
    share: float  # of the whole training; the shares of a run sum to 1


@dataclass(frozen=True)
class ExportGraph:
    """A module to export, with example inputs by name; heights and widths (dimensions 2 and 3) stay free."""

    file: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    output: str = "picture"


@runtime_checkable
class Run(Protocol):
    """One training of a method on one set of data: the networks, their optimisers and one step of them."""

    stages: Sequence[Stage]
    length: int | None  # iterations that the paper gives for these data; None: those of the recipe
    notes: Sequence[str]  # what differs from the recipe because something is not installed, in sentences

    def enter(self, stage: int) -> None:
        """Called before the first step of every stage, also when a checkpoint of that stage is resumed."""

    def step(self, progress: Progress) -> dict[str, float]:
        """One training step; returns its losses by name."""

    def first(self) -> ApplyPlan | None:
        """How a result is made before the training; None where that is not possible.

        Methods that can do it are applied during training, too.
        """

    def sample(self) -> Tensor:
        """The picture as the model makes it now, (1, 3, H, W) in [-1, 1]."""

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on later: weights, averaged weights, optimisers."""

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""

    def shrink(self) -> str:
        """Less work a step, after memory ran out; says in words what became smaller, "" if nothing can."""

    def calm(self) -> None:
        """Smaller steps, after losses became infinite and the last good state was loaded."""

    def graphs(self) -> Sequence[ExportGraph]:
        """What is exported at the end."""

    def plan(self) -> ApplyPlan:
        """How the exported graphs make a result."""


@runtime_checkable
class MeasuringRun(Protocol):
    """A run that measures on the picture itself whether its training was worth it."""

    def measured(self) -> dict[str, Any]:
        """For the manifest: undone `edits`, `areas` seen in them, areas in which the model is `used`, and the share by
        which it is `closer` to the picture there than the draft."""


class Method(Protocol):
    """A training method, as data and a constructor of runs."""

    name: str
    title: str
    planes: Sequence[PlaneSpec]
    needs_training: bool
    many: bool  # whether it trains on many pictures at a time, as one model
    recipes: Mapping[str, Recipe]
    default_recipe: str

    def stride(self, recipe: Recipe) -> int:
        """Sides of the training pair are padded to multiples of this."""

    def pixels(self, recipe: Recipe, device: Device, size: tuple[int, int]) -> int:
        """A bigger picture, of this width and height, is reduced to so many pixels for training; 0: never."""

    def begin(self, data: TrainingData, recipe: Recipe, device: Device, seed: int) -> Run:
        """Networks with fresh weights, on the device, ready for the first step.

        Raises:
            TrainingError: the data do not fit the method (a plane is missing, ...).
        """


def describe(method: Method) -> dict[str, Any]:
    """The method as JSON, for menus and for `hello`."""
    return {
        "name": method.name,
        "title": method.title,
        "needs_training": method.needs_training,
        "many": method.many,
        "planes": [{"name": p.name, "kind": str(p.kind), "required": p.required} for p in method.planes],
        "default_recipe": method.default_recipe,
        "recipes": [
            {
                "name": r.name,
                "title": r.title,
                "iterations": r.iterations,
                "budget": r.budget,
                "figures": {f.name: getattr(r.figures, f.name) for f in fields(r.figures)},
                "sources": dict(r.sources),
            }
            for r in method.recipes.values()
        ],
    }
