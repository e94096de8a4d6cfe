"""Apply: the edited underdrawing becomes a real layer over the picture, with a mask that can still be edited."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from . import history, layers, read_layers, things
from .client.frames import Frame
from .client.labels import device
from .client.messages import EngineError
from .colour_space import Space
from .document_model import Swap, Workspace
from .make_primitive import LABEL
from .qt import QtCore
from .service import frames_of
from .tasks import Steps
from .tiles import bands, write
from .ui_state import ApplyOptions

MOST_RESULTS = 64  # layers that are remembered as results


@dataclass(frozen=True)
class Result:
    """A result as it lies in the document.

    Attributes:
        frame: unblended pixels in the picture's colour space; where `mask` is None, the mask is their alpha.
        mask: (height, width) of 8 bits, 0 where nothing changed.
        x, y: where its upper left corner lies.
    """

    frame: Frame
    mask: Frame | None
    x: int
    y: int
    space: Space
    model: str = ""


def masked() -> bool:
    """Whether results get a transparency mask of their own; in Krita before 5.2 the mask is the pixels' alpha."""
    return layers.has_masks()


def body_of(
    ws: Workspace, planes: dict[str, Any], options: ApplyOptions, mask: Frame | None, lifted: list[dict[str, Any]]
) -> dict[str, Any]:
    """The request `apply`, without the pictures themselves."""
    space = ws.record.space or Space.of(ws.need_picture()).converted
    body: dict[str, Any] = {"planes": planes, "order": space.order, "lifted": lifted, **options.body()}
    if ws.record.model:
        body["model"] = ws.record.model
    if mask is not None:
        body.update(mask={"hash": mask.hash}, mask_mode=options.mask_mode)
    return body


def apply(ws: Workspace, options: ApplyOptions, keep: bool) -> Steps:
    """Paint the edit into a layer; in the place of the last result, unless it is to be kept."""
    edit = yield from Edit.read(ws, options)
    ws.doing_now("Painting what follows from the underdrawing…")
    reply = yield ws.service.ask("apply", edit.body, edit.frames, 600.0)
    made = edit.result(ws, reply)
    things.drop_undone(ws)
    node = yield from show(ws, made, "Result", None if keep else ws.newest(ws.record.results))
    things.applied(ws, layers.identity(node))
    yield from history.add(ws, made, node)
    told = ["Done in %.1f s on the %s." % (float(reply.body["seconds"]), device(str(reply.body["device"])))]
    unseen = [str(text) for text in reply.body.get("unseen") or ()]
    notes = [str(text) for text in reply.body.get("notes") or ()]
    hidden = [node.name() for node in ws.planes.values() if not node.visible()]
    if hidden and ws.record.model:
        told.append("Hidden layers count, too: %s." % ", ".join(hidden))
    if edit.body.get("mask_mode") == "limit":
        told.append("Limited to the selection.")
    ws.tell(" ".join(told + notes + unseen), bool(unseen))


@dataclass(frozen=True)
class Edit:
    """An edit as it is sent: the request `apply` and the pictures that it speaks of."""

    body: dict[str, Any]
    frames: list[Frame]

    @classmethod
    def read(cls, ws: Workspace, options: ApplyOptions) -> Generator[Any, Any, Edit]:
        """The edit as it is in the document now."""
        lifted, frames = yield from things.sent(ws)
        mask = read_layers.selection(ws)
        if mask is not None:
            frames.append(mask)
        planes = (yield from read_layers.planes(ws)) if ws.record.model else {}
        body = {**body_of(ws, read_layers.references(planes), options, mask, lifted), "baked": not masked()}
        if not ws.record.model:  # things need none: the picture itself says all
            picture = yield from read_layers.picture(ws)
            body["picture"] = {"hash": picture.hash}
            frames.append(picture)
        return cls(body, [*planes.values(), *frames])

    @staticmethod
    def result(ws: Workspace, reply: Any) -> Result:
        """The engine's answer as it is put into the document."""
        made = unmasked(ws, reply)
        if not masked():
            return made
        (soft,) = frames_of(reply, [str(reply.body["mask"])])
        return replace(made, mask=eight_bits(soft))


def unmasked(ws: Workspace, reply: Any) -> Result:
    """The engine's answer as a result without a mask of its own."""
    (picture,) = frames_of(reply, [str(reply.body["picture"])])
    place = int(reply.body["x"]), int(reply.body["y"])
    return Result(picture, None, *place, _space(ws, picture), str(reply.body.get("model") or ""))


def show(ws: Workspace, result: Result, name: str, instead_of: Any = None) -> Steps:
    """Put a result over the picture as a layer; the layer. One step back for the user, also where it replaces one."""
    picture = ws.need_picture()
    node = yield from put(ws, result, name, unlocked(picture), top(ws, picture))
    key = layers.identity(node)
    ws.keep(results=(key, *ws.record.results)[:MOST_RESULTS])
    yield from settle(ws, node, instead_of)
    return node


def unlocked(picture: Any) -> Any:
    """The group that results go into.

    Raises:
        EngineError: "locked" where nothing can be put into it.
    """
    parent = picture.parentNode()
    group = layers.locked_below(parent)
    if group is not None:
        text = "The picture lies in the locked group “%s”, so no result can be put over it." % group
        raise EngineError("locked", text, "Unlock the group, and apply again.")
    return parent


def put(ws: Workspace, result: Result, name: str, parent: Any, above: Any) -> Steps:
    """Put a result into a group above another layer; the new layer. One step back for the user."""
    with layers.Maker(ws.krita, ws.document, result.space, nested=result.mask is not None) as maker:
        node = maker.layer(name)
        node.setColorLabel(LABEL)
        mask = None
        if result.mask is not None:
            mask = maker.mask("Edit")
            node.addChildNode(mask, None)
        yield from layers.put_in(ws.document, node, parent, above)
    yield from write(node, result.frame, result.x, result.y)
    if mask is not None and result.mask is not None:
        yield from _fill(mask, result.mask, result.x, result.y)
    return node


def settle(ws: Workspace, node: Any, instead_of: Any = None) -> Steps:
    """Take away the layer in whose place another one came, and have Krita draw everything."""
    if instead_of is not None:
        yield from layers.idle(ws.document)
        old = layers.identity(instead_of)
        instead_of.remove()
        ws.swaps.append(Swap(old, layers.identity(node)))
    yield None  # a step of its own: Krita composes the whole picture
    ws.document.refreshProjection()
    ws.look()


def top(ws: Workspace, picture: Any) -> Any:
    """The layer that a result goes above: the highest of the results beside the picture, or the picture itself."""
    parent, above = picture.parentNode(), picture
    known = set(ws.record.results)
    for sibling in parent.childNodes():
        if layers.identity(sibling) in known:
            above = sibling
    return above


def _fill(mask: Any, frame: Frame, x: int, y: int) -> Steps:
    """A frame L of 8 bits into a transparency mask."""
    import krita

    selection = krita.Selection()
    pixels = memoryview(frame.data).cast("B")
    for first, rows in bands(frame.width, frame.height):
        piece = bytes(pixels[first * frame.stride : (first + rows) * frame.stride])
        selection.setPixelData(QtCore.QByteArray(piece), x, y + first, frame.width, rows)
        yield None
    mask.setSelection(selection)


def eight_bits(mask: Frame) -> Frame:
    """A mask at the depth that Krita's masks have."""
    if mask.depth == "u8":
        return mask
    # Of two bytes, little endian, the higher one: what is full stays full and what is nothing stays nothing.
    return Frame(mask.width, mask.height, "L", "u8", bytes(mask.data)[1::2])


def _space(ws: Workspace, frame: Frame) -> Space:
    """The colour space that the result is in: the picture's, as long as the bytes fit it."""
    known = ws.record.space or Space.of(ws.need_picture()).converted
    if (known.wire_depth, known.order) != (frame.depth, frame.order):
        # The document was converted after it was trained: the model answers in the space that it was trained in.
        here = {"u8": "U8", "u16": "U16", "f16": "F16", "f32": "F32"}[frame.depth]
        known = Space("GRAYA" if frame.order == "LA" else "RGBA", here, known.profile)
    return known
