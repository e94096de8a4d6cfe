"""What the engine answers to the verbs of the library, `models.*`."""

from __future__ import annotations

import uuid

from underdrawing.client.messages import EngineError
from underdrawing.client.request_fields import Request
from underdrawing.client.service_requests import (
    ImportModelRequest,
    ModelFileRequest,
    ModelRequest,
    RenameModelRequest,
)
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext, Handler
from underdrawing.daemon.model_import import ModelImport
from underdrawing.store import model_archive
from underdrawing.store.manifest import MANIFEST_FILE, Manifest


def _finished(context: EngineContext, wanted: ModelRequest) -> Manifest:
    """A model that is not being trained any more.

    Raises:
        EngineError: there is none, or it still is.
    """
    model = context.library.find(wanted.model)
    if not context.library.is_finished(model.id):
        text = f"{model.name!r} is still being trained."
        raise EngineError("still_learning", text, "Wait until it is done, or cancel it: underdrawing jobs")
    return model


def list_models(context: EngineContext, ask: Ask, wanted: Request) -> None:
    """All models."""
    library = context.library
    ask.reply({"models": [library.summary(m) for m in library.all()]})


def show_model(context: EngineContext, ask: Ask, wanted: ModelRequest) -> None:
    """One model."""
    ask.reply(context.library.details(context.library.find(wanted.model)))


def model_file(context: EngineContext, ask: Ask, wanted: ModelFileRequest) -> None:
    """One of a model's files, which the client then gets in parts."""
    model, name = context.library.find(wanted.model), wanted.file
    if name not in model.files and name != MANIFEST_FILE:
        known = ", ".join(sorted(model.files))
        raise EngineError("unknown_file", f"The model has no file {name[:80]!r}.", f"Choose one of: {known}.")
    source = context.library.folder(model.id) / name

    def work() -> tuple[str, int]:
        size = source.stat().st_size
        context.spool.make_room(size)
        path = context.spool.folder / f"{uuid.uuid4().hex}.tmp"
        try:
            with source.open("rb") as inward, path.open("xb") as outward:
                while block := inward.read(1 << 20):
                    outward.write(block)
            return context.spool.adopt(path), size
        finally:
            path.unlink(missing_ok=True)

    def then(found: tuple[str, int] | None, error: EngineError | None) -> None:
        if found is None:
            ask.fail(error or EngineError("internal", "The file could not be read."))
        else:
            ask.reply({"hash": found[0], "size": found[1], "file": name})

    context.chore(work, then)


def rename_model(context: EngineContext, ask: Ask, wanted: RenameModelRequest) -> None:
    """Another name."""
    library = context.library
    ask.reply(library.summary(library.rename(_finished(context, wanted), wanted.name)))


def delete_model(context: EngineContext, ask: Ask, wanted: ModelRequest) -> None:
    """Delete for good."""
    manifest = _finished(context, wanted)
    context.library.delete(manifest)
    ask.reply({"id": manifest.id, "name": manifest.name})


def export_model(context: EngineContext, ask: Ask, wanted: ModelRequest) -> None:
    """Pack a model into a file, which the client then gets in parts."""
    manifest = _finished(context, wanted)
    folder = context.library.folder(manifest.id)
    path = context.spool.folder / f"{uuid.uuid4().hex}.tmp"

    def work() -> tuple[str, int]:
        try:
            context.spool.make_room(sum((folder / name).stat().st_size for name in manifest.files))
            size = model_archive.write(folder, manifest, path)
            return context.spool.adopt(path), size
        finally:
            path.unlink(missing_ok=True)

    def then(found: tuple[str, int] | None, error: EngineError | None) -> None:
        if found is None:
            ask.fail(error or EngineError("internal", "The model could not be packed."))
        else:
            body = {"hash": found[0], "size": found[1], "name": manifest.name, "note": model_archive.WORD}
            ask.reply(body)

    context.chore(work, then)


def import_model(context: EngineContext, ask: Ask, wanted: ImportModelRequest) -> None:
    """Unpack a file that was put before, have its graphs looked into, and publish it."""
    key = wanted.hash
    context.spool.header(key)
    context.spool.pin(key)
    refused = EngineError("bad_model", "This model file is refused.", "Ask for it again.")
    incoming = ModelImport(context, ask, "The model could not be taken in.", refused)

    def unpacked(found: Manifest | None, error: EngineError | None) -> None:
        context.spool.unpin(key)
        if found is None or error is not None or not ask.open:
            incoming.fail(error)
            return
        args = {"model_folder": str(incoming.folder)}
        try:
            context.rendering.submit(context.task("check_model", args, ask.event, incoming.ready), ask)
        except EngineError as full:
            incoming.fail(full)
            return
        incoming.discard_with_request()

    context.chore(lambda: model_archive.read(context.spool.path(key), incoming.folder, incoming.identity), unpacked)


HANDLERS: dict[str, Handler] = {
    "models.list": list_models,
    "models.show": show_model,
    "models.file": model_file,
    "models.rename": rename_model,
    "models.delete": delete_model,
    "models.export": export_model,
    "models.import": import_model,
}
