"""A picture that was changed as a whole since it was learnt: followed where it can be seen how, else one is asked."""

from __future__ import annotations

from . import record, transform_detection, widgets
from .gi import gtk
from .plugin import Call, CancelledError
from .record import Record
from .service import connected
from .transform import Way

CANCEL, ANEW, USE = range(3)


def followed(call: Call) -> Record:
    """The record of the picture as it is now, with the way back to what was learnt.

    Raises:
        EngineError: the picture does not fit its model any more, and nobody can be asked.
        CancelledError: nothing is to be done, or the picture was learnt anew instead.
    """
    known = record.need(call.image, call.drawables)
    with connected("Looking at the picture") as service:
        found = transform_detection.look(service.engine, call.image, known)
    if found.certain:
        return found.known
    name = str(found.model["name"]) if found.model is not None else ""
    answer = _ask(found.known, name) if call.interactive else USE * (call.values.get("changed") == "use")
    if answer == USE:
        agreed = transform_detection.agree(call.image, found.known)
        if agreed is not None:
            return agreed
    if answer == ANEW:
        from .training_window import Window  # its procedure has a module of its own

        Window(call.image, found.known).run()
    if call.interactive:
        raise CancelledError
    raise transform_detection.changed(found.known)


def _ask(known: Record, name: str) -> int:
    """Use the model all the same, learn anew, or neither."""
    gtk()
    what = "“%s”" % name if name else "its model"
    size = (known.region.width, known.region.height)
    text = "The picture is not as it was when %s was learnt." % what
    more = "It had %d x %d pixels, and has %d x %d now: it was cropped, scaled or rotated, and changed otherwise. " % (
        *known.shape,
        *size,
    )
    if Way.scaled(known.shape, size) is None:
        more += "The model does not fit any more."
        return widgets.choose(None, text, more, [("_Cancel", CANCEL), ("_Learn Anew…", ANEW)])
    more += "The model can be used all the same: results are made at the size that was learnt, and scaled."
    answers = [("_Cancel", CANCEL), ("_Learn Anew…", ANEW), ("_Use It All the Same", USE)]
    return widgets.choose(None, text, more, answers)
