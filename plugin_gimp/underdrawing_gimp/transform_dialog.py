"""A picture that was changed as a whole since its model was trained: followed where that is exact, else asked about."""

from __future__ import annotations

from . import record, training, transform_detection, widgets
from .gi import gtk
from .plugin import Call, CancelledError
from .record import Record
from .service import connected
from .transform import Way

CANCEL, ANEW, USE = range(3)


def followed(call: Call) -> Record:
    """The record of the picture as it is now, with a model, and the way back to what that was trained on.

    A picture without a model gets one that needs no training.

    Raises:
        EngineError: the picture does not fit its model any more, and nobody can be asked; or no model can be made.
        CancelledError: nothing is to be done, or a model is trained anew instead.
    """
    known = record.need(call.image, call.drawables)
    if not known.drawn:
        return known  # things that were only lifted need no model
    with connected("Looking at the picture") as service:
        found = transform_detection.look(service, call.image, known)
        if found.model is None and training.job_of(service, found.known) is None:
            return training.draft(service, call.image, found.known)
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
    """Use the model all the same, train anew, or neither."""
    gtk()
    what = "“%s”" % name if name else "its model"
    size = (known.region.width, known.region.height)
    text = "The picture changed since %s was trained." % what
    more = "It had %d x %d pixels, and has %d x %d now: it was cropped, scaled or rotated, and changed otherwise. " % (
        *known.shape,
        *size,
    )
    if Way.scaled(known.shape, size) is None:
        more += "The model does not fit any more."
        return widgets.choose(None, text, more, [("_Cancel", CANCEL), ("_Train Anew…", ANEW)])
    more += "The model can be used all the same: results are made at the size it was trained on, and scaled."
    answers = [("_Cancel", CANCEL), ("_Train Anew…", ANEW), ("_Use It All the Same", USE)]
    return widgets.choose(None, text, more, answers)
