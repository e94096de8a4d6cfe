"""Folders' models: those that make a model of any picture at once, as the engine lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .client.labels import CHOOSE_ANOTHER, FOLDER_MODEL_GONE, FOLDER_MODEL_HINT, NO_FOLDER_MODEL
from .client.messages import EngineError
from .generate_tasks import Use

HOW_TO_TRAIN = "%s %s" % (NO_FOLDER_MODEL, FOLDER_MODEL_HINT)  # where there is no model


@dataclass(frozen=True)
class Maker:
    """A folder's model.

    Attributes:
        makes: names of the uses that models which it makes can do.
    """

    id: str
    name: str
    makes: tuple[str, ...]

    def serves(self, use: Use) -> bool:
        """Whether it has anything to give to a use. What lies between two pictures every folder's model knows."""
        return use is Use.BETWEEN or (use.at_once and use.value in self.makes)


def makers_of(models: list[dict[str, Any]]) -> tuple[Maker, ...]:
    """Those of the engine's models that make others, the newest first."""
    found = (Maker(str(m["id"]), str(m["name"]), tuple(map(str, m.get("makes") or ()))) for m in reversed(models))
    return tuple(maker for maker in found if maker.makes)


def of_maker(error: EngineError) -> EngineError:
    """What the engine said of a folder model; of one that is gone without its id, which says nothing to a person."""
    if error.code != "unknown_model":
        return error
    return EngineError(error.code, FOLDER_MODEL_GONE, CHOOSE_ANOTHER)
