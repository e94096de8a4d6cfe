"""What takes longer than a blink, in steps: generators that a timer moves on, so that Krita's window stays alive.

A step ends with `yield`: of a call to the engine (the generator goes on with its reply, or with its error raised), of
a `Pause`, or of nothing (it goes on at the next tick).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Callable

from .client.engine import Call
from .client.messages import EngineError

Steps = Generator[Any, Any, Any]
Ended = Callable[["Task"], None]

BUDGET = 0.012  # seconds that all tasks together may use of one tick


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


class Task:
    """A row of steps on its way.

    Attributes:
        done: it is over, well or not.
        error: what ended it, or None.
        result: what it returned.
    """

    def __init__(self, steps: Steps, name: str, on_end: Ended | None = None) -> None:
        self.name, self.done, self.result = name, False, None
        self.error: EngineError | None = None
        self._steps, self._on_end = steps, on_end
        self._waits_for: Any = None
        self._until = 0.0
        # Some of Krita's calls let other things happen before they return: a step may find itself inside of another.
        self._inside = self._unwanted = False

    @property
    def call(self) -> Call | None:
        """The request that it waits for."""
        return self._waits_for

    @property
    def ready(self) -> bool:
        """Whether there is a step to take now."""
        if self.done or self._inside:
            return False
        if self._waits_for is not None:
            return bool(self._waits_for.done)
        return time.monotonic() >= self._until

    def step(self) -> None:
        """Take one step."""
        self._inside = True
        try:
            self._go()
        finally:
            self._inside = False
        if self._unwanted:
            self.stop()

    def _go(self) -> None:
        call, self._waits_for = self._waits_for, None
        try:
            if call is None:
                waits = next(self._steps)
            elif call.error is not None:
                waits = self._steps.throw(call.error)
            else:
                waits = self._steps.send(call.result())
        except StopIteration as end:
            self._finish(None, end.value)
        except EngineError as error:
            self._finish(error, None)
        except Exception as fault:  # noqa: BLE001 - a fault of ours must leave Krita usable, and say where it is
            traceback.print_exc()
            text = "Something in the plug-in went wrong: %s" % (str(fault) or type(fault).__name__)
            self._finish(EngineError("internal", text, "Nothing of your picture was changed. Please report it."), None)
        else:
            if isinstance(waits, Pause):
                self._until = time.monotonic() + waits.seconds
            elif isinstance(waits, Call):
                self._waits_for = waits

    def stop(self) -> None:
        """End it here, or after the step that is being taken; what it has begun to clean up is cleaned up."""
        self._unwanted = True
        if not self.done and not self._inside:
            self._inside = True
            self._steps.close()
            self._finish(EngineError("cancelled", "Cancelled."), None)

    def _finish(self, error: EngineError | None, result: Any) -> None:
        self.done, self.error, self.result = True, error, result
        if self._on_end is not None:
            self._on_end(self)


class Tasks:
    """All tasks of the plug-in, moved on by one timer."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def start(self, steps: Steps, name: str, on_end: Ended | None = None) -> Task:
        """Begin a row of steps; its first one is taken at the next tick."""
        task = Task(steps, name, on_end)
        self.tasks.append(task)
        return task

    def run(self, budget: float = BUDGET) -> None:
        """Take steps, each task in its turn, until `budget` seconds are used up. A single step is never cut short."""
        end = time.monotonic() + budget
        while True:
            ready = [task for task in self.tasks if task.ready]
            if not ready:
                break
            for task in ready:
                if task.ready:
                    task.step()
                if time.monotonic() >= end:
                    # Whoever came last waits: the next tick begins with the others.
                    self.tasks.sort(key=lambda other: other is task)
                    break
            if time.monotonic() >= end:
                break
        self.tasks = [task for task in self.tasks if not task.done]
