"""One request on its way, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generator, List, Optional

from .frames import Frame
from .messages import ERROR, EngineError, Message

OnEvent = Optional[Callable[[Dict[str, Any]], None]]
Steps = Generator[List[Message], List[Message], "Reply"]


@dataclass(frozen=True)
class Reply:
    """An answer: its body, and its pictures, in the order in which the protocol names them."""

    body: Dict[str, Any]
    frames: List[Frame] = field(default_factory=list)


class Call:
    """One request from its first byte to its answer. Made by `Session.submit`.

    Attributes:
        done: it is over, well or not.
        error: why it is over, where it went wrong.
    """

    def __init__(self, steps: Callable[[], Steps], again: bool, end: float, on_event: OnEvent) -> None:
        self._make, self.again, self.end, self.on_event = steps, again, end, on_event
        self.attempts = 0
        self.done = False
        self.error: Optional[EngineError] = None
        self._reply: Optional[Reply] = None
        self.waiting: Dict[str, Optional[Message]] = {}

    def begin(self) -> List[Message]:
        """Start from the beginning; what is to be sent."""
        self.attempts += 1
        self._steps = self._make()
        return self._go(lambda: next(self._steps))

    def answered(self, message: Message) -> List[Message]:
        """Take an answer; what is to be sent next."""
        self.waiting[message.id] = message
        if message.kind == ERROR:
            error = EngineError.from_dict(message.body)
            return self._go(lambda: self._steps.throw(error))
        if any(answer is None for answer in self.waiting.values()):
            return []
        answers = [answer for answer in self.waiting.values() if answer is not None]
        return self._go(lambda: self._steps.send(answers))

    def _go(self, move: Callable[[], List[Message]]) -> List[Message]:
        try:
            messages = move()
        except StopIteration as end:
            self._reply, self.done, messages = end.value, True, []
        except EngineError as error:
            self.fail(error)
            messages = []
        except OSError as fault:
            text = "A file could not be read or written: %s." % (fault.strerror or fault)
            self.fail(EngineError("file", text, "Check its rights and the room on its disk."))
            messages = []
        self.waiting = {message.id: None for message in messages}
        return messages

    def fail(self, error: EngineError) -> None:
        """End without an answer."""
        self.waiting, self.error, self.done = {}, error, True

    def result(self) -> Reply:
        """The answer.

        Raises:
            EngineError: why there is none.
        """
        if self.error is not None:
            raise self.error
        if self._reply is None:
            raise EngineError("not_done", "The answer is not there yet.")
        return self._reply
