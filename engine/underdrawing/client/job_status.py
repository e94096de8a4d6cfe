"""A training as front ends show it: its state in words, how far it is, how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

from .labels import device, duration
from .messages import EngineError

UNDER_WAY = ("queued", "running", "paused")


@dataclass(frozen=True)
class JobStatus:
    """What is known of a training.

    Attributes:
        job, model: ids; the model is there when the state is "done".
        state: "queued", "running", "paused", "done", "failed" or "cancelled".
        stopping: "pause" or "cancel" while it obeys, else "".
        phase: "preparing", "training" or "exporting"; "generating" while pictures are made.
        fraction: 0 to 1.
        left: seconds, or None while unknown.
        rate: iterations a second, or None.
        losses: by name.
        sample: hash of the last sample, or "".
        usable: iteration of the last usable state, or -1.
        error: why it failed.
        seconds: how long it trained; 0 before its end.
    """

    job: str
    model: str
    name: str = ""
    method: str = ""
    state: str = "queued"
    stopping: str = ""
    phase: str = "preparing"
    fraction: float = 0.0
    left: Optional[float] = None
    rate: Optional[float] = None
    iteration: int = 0
    device: str = ""
    losses: Tuple[Tuple[str, float], ...] = ()
    notes: Tuple[str, ...] = ()
    sample: str = ""
    usable: int = -1
    error: Optional[EngineError] = None
    seconds: float = 0.0

    @classmethod
    def of(cls, raw: Dict[str, Any]) -> JobStatus:
        """From a job as the engine describes it, or from the answer to `train`."""
        status = cls(
            job=str(raw.get("job", "")),
            model=str(raw.get("model", "")),
            name=str(raw.get("name", "")),
            method=str(raw.get("method") or ""),
            state=str(raw.get("state", "queued")),
            stopping=str(raw.get("stopping") or ""),
            notes=tuple(str(note) for note in raw.get("notes") or ()),
            sample=str(raw.get("sample") or ""),
            error=EngineError.from_dict(raw["error"]) if raw.get("error") else None,
            seconds=float((raw.get("figures") or {}).get("seconds") or 0.0),
        )
        return status._progressed(raw.get("progress") or {})

    def after(self, event: Dict[str, Any]) -> JobStatus:
        """What is known after an event of `watch`."""
        kind = event.get("event")
        if kind == "state":
            return replace(JobStatus.of(event), usable=self.usable)
        if kind == "progress":
            return self._progressed(event)
        if kind == "sample":
            return replace(self, sample=str(event.get("hash") or ""))
        if kind == "usable":
            return replace(self, usable=int(event.get("iteration") or 0))
        if kind == "note":
            return replace(self, notes=(*self.notes, str(event.get("text", ""))))
        return self

    def _progressed(self, event: Dict[str, Any]) -> JobStatus:
        if not event:
            return self
        losses = event.get("losses") or {}
        return replace(
            self,
            phase=str(event.get("phase") or "preparing"),
            fraction=float(event.get("fraction") or 0.0),
            left=event.get("left"),
            rate=event.get("rate"),
            iteration=int(event.get("iteration") or 0),
            device=str(event.get("device") or ""),
            losses=tuple((str(k), float(v)) for k, v in losses.items() if isinstance(v, (int, float))),
        )

    @property
    def under_way(self) -> bool:
        """Whether it may still become a model."""
        return self.state in UNDER_WAY

    @property
    def usable_early(self) -> bool:
        """Whether it can be applied while it is being trained."""
        return self.method == "refine" and self.phase == "training"

    @property
    def text(self) -> str:
        """One line about its state, for a person."""
        if self.stopping:
            return "Pausing…" if self.stopping == "pause" else "Cancelling…"
        words = {
            "queued": "Waiting for another training.",
            "paused": "Paused. Nothing that was trained is lost.",
            "done": "Done.",
            "failed": "Training failed.",
            "cancelled": "Training was cancelled.",
        }
        if self.state in words:
            return words[self.state]
        if self.phase == "preparing":
            return "Preparing…"
        if self.phase == "exporting":
            return "Finishing: the model is written and checked."
        if self.phase == "generating":
            return "Making pictures…"
        parts = ["Training"]
        if self.device:
            parts.append("on the %s" % device(self.device))
        if self.left is not None:
            parts.append("%s left" % duration(float(self.left)))
        if self.rate:
            parts.append("%.1f steps a second" % float(self.rate))
        return " · ".join(parts)

    @property
    def details(self) -> str:
        """The same with iteration and losses."""
        parts = [self.text]
        if self.iteration:
            parts.append("iteration %d" % self.iteration)
        return " · ".join([*parts, *("%s %.3g" % loss for loss in self.losses)])

    def check(self) -> JobStatus:
        """Itself.

        Raises:
            EngineError: the training failed, and why.
        """
        if self.state == "failed":
            raise self.error or EngineError("failed", "Training failed.")
        return self

    def finished_model(self) -> str:
        """The id of the finished model.

        Raises:
            EngineError: the training failed, or was paused or cancelled.
        """
        self.check()
        if self.state == "paused":
            raise EngineError("cancelled", "Training is paused.", "Continue it, then try again.")
        if self.state != "done":
            raise EngineError("cancelled", "Training was cancelled.")
        return self.model
