"""A model on its way into the library that was not trained here: published whole, or gone without a trace."""

from __future__ import annotations

from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext
from underdrawing.store.manifest import Manifest, ManifestError
from underdrawing.store.model_library import new_identity


class ModelImport:
    """One such model, and the request that is answered with it.

    Args:
        failed: what is said where nothing else says why.
        refused: the error where it is not whole; the fault follows its message.

    Attributes:
        identity: its new id.
        folder: where it is put, and looked into.
    """

    def __init__(self, context: EngineContext, ask: Ask, failed: str, refused: EngineError) -> None:
        self.identity = new_identity()
        self.folder = context.library.incoming(self.identity)
        self._context, self._ask, self._failed, self._refused = context, ask, failed, refused

    def fail(self, error: EngineError | None) -> None:
        """Forget it, and say why."""
        self._context.library.discard(self.identity)
        self._ask.fail(error or EngineError("internal", self._failed))

    def discard_with_request(self) -> None:
        """Forget it, too, where nobody waits for the answer any more."""
        drop = self._ask.on_abandon

        def abandoned() -> None:
            drop()
            self._context.library.discard(self.identity)

        self._ask.on_abandon = abandoned

    def ready(self, found: dict[str, Any] | None, error: EngineError | None) -> None:
        """The renderer's answer about it: then it is published, and the request answered with its summary."""
        if found is None or not self._ask.open:
            self.fail(error)
        else:
            self._context.chore(self._publish, self._published)

    def _publish(self) -> Manifest:
        try:
            return self._context.library.accept(self.identity)
        except ManifestError as fault:
            refused = self._refused
            raise EngineError(refused.code, f"{refused.message} {fault}", refused.hint) from None

    def _published(self, found: Manifest | None, error: EngineError | None) -> None:
        if found is None:
            self.fail(error)
        else:
            self._ask.reply(self._context.library.summary(found))
