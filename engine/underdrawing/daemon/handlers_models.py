"""What the engine answers to the verbs of the library, `models.*`."""

from __future__ import annotations

import uuid

from underdrawing.client.messages import EngineError, need
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext
from underdrawing.daemon.model_import import Incoming
from underdrawing.store import model_archive
from underdrawing.store.blob_store import checked_hash
from underdrawing.store.manifest import MANIFEST_FILE, Manifest


class ModelVerbs:
    """The verbs of the library."""

    daemon: EngineContext

    def _model(self, ask: Ask) -> Manifest:
        return self.daemon.library.find(need(ask.body, "model", str))

    def _finished(self, ask: Ask) -> Manifest:
        """A model that is not being learnt any more.

        Raises:
            EngineError: it still is.
        """
        model = self._model(ask)
        if not self.daemon.library.is_finished(model.id):
            text = f"{model.name!r} is still being learnt."
            raise EngineError("still_learning", text, "Wait until it is done, or cancel it: underdrawing jobs")
        return model

    def models_list(self, ask: Ask) -> None:
        """All models."""
        library = self.daemon.library
        ask.reply({"models": [library.summary(m) for m in library.all()]})

    def models_show(self, ask: Ask) -> None:
        """One model."""
        ask.reply(self.daemon.library.details(self._model(ask)))

    def models_file(self, ask: Ask) -> None:
        """One of a model's files, which the client then gets in parts."""
        daemon, model, name = self.daemon, self._model(ask), need(ask.body, "file", str)
        if name not in model.files and name != MANIFEST_FILE:
            known = ", ".join(sorted(model.files))
            raise EngineError("unknown_file", f"The model has no file {name[:80]!r}.", f"Choose one of: {known}.")
        source = daemon.library.folder(model.id) / name

        def work() -> tuple[str, int]:
            size = source.stat().st_size
            daemon.spool.make_room(size)
            path = daemon.spool.folder / f"{uuid.uuid4().hex}.tmp"
            try:
                with source.open("rb") as inward, path.open("xb") as outward:
                    while block := inward.read(1 << 20):
                        outward.write(block)
                return daemon.spool.adopt(path), size
            finally:
                path.unlink(missing_ok=True)

        def then(found: tuple[str, int] | None, error: EngineError | None) -> None:
            if found is None:
                ask.fail(error or EngineError("internal", "The file could not be read."))
            else:
                ask.reply({"hash": found[0], "size": found[1], "file": name})

        daemon.chore(work, then)

    def models_rename(self, ask: Ask) -> None:
        """Another name."""
        library = self.daemon.library
        ask.reply(library.summary(library.rename(self._finished(ask), ask.body.get("name", ""))))

    def models_delete(self, ask: Ask) -> None:
        """Delete for good."""
        manifest = self._finished(ask)
        self.daemon.library.delete(manifest)
        ask.reply({"id": manifest.id, "name": manifest.name})

    def models_export(self, ask: Ask) -> None:
        """Pack a model into a file, which the client then gets in parts."""
        daemon, manifest = self.daemon, self._finished(ask)
        folder = daemon.library.folder(manifest.id)
        path = daemon.spool.folder / f"{uuid.uuid4().hex}.tmp"

        def work() -> tuple[str, int]:
            try:
                daemon.spool.make_room(sum((folder / name).stat().st_size for name in manifest.files))
                size = model_archive.write(folder, manifest, path)
                return daemon.spool.adopt(path), size
            finally:
                path.unlink(missing_ok=True)

        def then(found: tuple[str, int] | None, error: EngineError | None) -> None:
            if found is None:
                ask.fail(error or EngineError("internal", "The model could not be packed."))
            else:
                body = {"hash": found[0], "size": found[1], "name": manifest.name, "note": model_archive.WORD}
                ask.reply(body)

        daemon.chore(work, then)

    def models_import(self, ask: Ask) -> None:
        """Unpack a file that was put before, have its graphs looked into, and publish it."""
        daemon = self.daemon
        key = checked_hash(ask.body.get("hash"))
        daemon.spool.header(key)
        daemon.spool.pin(key)
        refused = EngineError("bad_model", "This model file is refused.", "Ask for it again.")
        incoming = Incoming(daemon, ask, "The model could not be taken in.", refused)

        def unpacked(found: Manifest | None, error: EngineError | None) -> None:
            daemon.spool.unpin(key)
            if found is None or error is not None or not ask.open:
                incoming.fail(error)
                return
            args = {"model_folder": str(incoming.folder)}
            try:
                daemon.rendering.submit(daemon.task("check_model", args, ask.event, incoming.ready), ask)
            except EngineError as full:
                incoming.fail(full)
                return
            incoming.discard_with_request()

        daemon.chore(lambda: model_archive.read(daemon.spool.path(key), incoming.folder, incoming.identity), unpacked)
