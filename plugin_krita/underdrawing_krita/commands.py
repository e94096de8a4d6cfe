"""What buttons and menu entries do: each is one command by its name, with a clear word where it cannot be done now."""

from __future__ import annotations

from typing import Any, Callable

from . import (
    alternatives,
    animation,
    apply,
    edits,
    external_image,
    generate,
    history,
    interpolate,
    make_primitive,
    recognition,
    regions,
    things,
    training,
)
from .brush import take_colour
from .client.messages import EngineError
from .commands_things import ThingCommands
from .document_model import EDITS, Workspace
from .generate_tasks import Use
from .live import NAME as LIVE
from .live import live
from .page_edit import VIEWS
from .record import Colour
from .service import hint
from .tasks import Steps
from .ui_state import Live, Stage
from .widgets import gone

ANY = (Stage.EMPTY, Stage.DRAWN, Stage.TRAINING, Stage.READY)
PAINTING = (Stage.DRAWN, Stage.TRAINING, Stage.READY)


class Commands:
    """The commands of one docker.

    Args:
        plugin: see there.
        panel: whose widgets say how things are done.
    """

    def __init__(self, plugin: Any, panel: Any) -> None:
        self.plugin, self.panel = plugin, panel
        self.things = ThingCommands(panel, self._begin, self._applied)
        self._known: dict[str, tuple[tuple[Stage, ...], Callable[..., Any]]] = {
            "preview": (ANY, self._preview),
            "start": (ANY, self._start),
            "make": (ANY, self._make),
            "use_layers": (ANY, self._use_layers),
            "use_known": (ANY, self._use_known),
            "make_other": (ANY, lambda ws: self.panel.make_other(True)),
            "train": ((Stage.DRAWN, Stage.READY), self._train),
            "draft": ((Stage.DRAWN, Stage.READY), self._draft),
            "train_more": ((Stage.READY,), self._train_more),
            "meanwhile": ((Stage.TRAINING,), lambda ws: ws.beside(training.meanwhile(ws), "take")),
            "pause": ((Stage.TRAINING, Stage.READY), self._pause),
            "cancel": ((Stage.TRAINING, Stage.READY), lambda ws: self._control(ws, "cancel")),
            "choose_model": ((Stage.READY,), self._choose_model),
            "paint_on": (PAINTING, self._paint_on),
            "take_colour": (PAINTING, self._take_colour),
            "view": (PAINTING, self._view),
            "live": ((Stage.READY,), self._live),
            "apply": (ANY, self._apply),
            **{name: (ANY, do) for name, do in self.things.known.items()},
            "region": (PAINTING, self._region),
            "edits": ((Stage.READY,), lambda ws: ws.beside(edits.look(ws), EDITS)),
            "take_back": ((Stage.READY,), self._take_back),
            "others": ((Stage.READY,), self._others),
            "bring_back": (ANY, self._bring_back),
            "back": (ANY, self._back),
            "forget": (ANY, history.forget),
            "layout": ((Stage.READY,), self._layout),
            "layout_file": ((Stage.READY,), self._layout_file),
            "match": ((Stage.READY,), self._match),
            "frames": ((Stage.READY,), self._frames),
            "alone": (ANY, self._use_alone),
            "alone_show": (ANY, self._show_alone),
            "alone_back": (ANY, lambda ws: self.panel.show_alone(False)),
            "alone_control": (ANY, self._control_alone),
            "between_look": (ANY, self._look_between),
            "between_file": (ANY, self._between_file),
        }

    def perform(self, name: str, *more: Any) -> None:
        """Do it, or say why not."""
        ws = self.panel.ws
        if ws is None or not ws.open:
            self.panel.tell("Open a picture first.", True)
            return
        stages, do = self._known[name]
        self.panel.catch_up()
        try:
            if ws.stage not in stages:
                ws.tell(_why_not(ws.stage), True)
                return
            do(ws, *more)
        except EngineError as error:
            ws.tell(hint(error), True)
        finally:
            # Buttons that stay down must show what is, also where the click changed nothing.
            self.panel.refresh_soon()

    def _begin(self, ws: Workspace, steps: Steps, doing: str) -> None:
        if not ws.begin(steps, doing):
            ws.tell("Something else is being done with this picture. Wait a moment.", True)

    # --- making

    def _preview(self, ws: Workspace) -> None:
        page = self.panel.make_page
        if page.isHidden():
            return

        def shown(task: Any) -> None:
            if gone(page):
                return
            if task.error is None and self.panel.ws is ws:
                page.preview.set_image(task.result)
            elif task.error is not None and task.error.code != "cancelled":
                page.preview.set_image(None)
                ws.tell(hint(task.error), True)

        self.plugin.service.stop(getattr(self, "_preview_task", None))
        steps = make_primitive.preview(ws, page.picture, page.options)
        self._preview_task = self.plugin.service.start(steps, "preview", shown)
        if page.picture != ws.recognised:
            ws.recognised = page.picture
            ws.beside(recognition.look(ws, page.picture), recognition.NAME)

    def _start(self, ws: Workspace) -> None:
        page = self.panel.make_page
        self.panel.make_other(False)
        ws.stop(LIVE)
        self._begin(ws, training.start(ws, page.picture, page.options), "Reading the picture…")

    def _make(self, ws: Workspace) -> None:
        page = self.panel.make_page
        self.panel.make_other(False)
        ws.stop(LIVE)
        self._begin(ws, make_primitive.make(ws, page.picture, page.options), "Reading the picture…")

    def _use_layers(self, ws: Workspace) -> None:
        page = self.panel.make_page
        self.panel.make_other(False)
        ws.stop(LIVE)
        self._begin(ws, make_primitive.use_layers(ws, page.picture, page.own_layers), "Reading the layers…")

    def _use_known(self, ws: Workspace) -> None:
        page = self.panel.make_page
        wanted = page.known.currentData()
        known = next((m for m in ws.known if m.id == wanted and m.layer == page.picture), None)
        if known is None:
            ws.tell("There is no model of this picture yet. Press “Start editing”.", True)
            return
        self.panel.make_other(False)
        ws.stop(LIVE)
        self._begin(ws, recognition.use(ws, known), "Reading the picture…")

    # --- training

    def _train(self, ws: Workspace) -> None:
        if self._training(ws):
            return
        self._begin(ws, training.train(ws, self.panel.train_page.options), "Reading the picture…")

    def _training(self, ws: Workspace) -> bool:
        """Whether this picture is being trained, and says so."""
        training_now = ws.job is not None and ws.job.under_way
        if training_now:
            ws.tell(_why_not(Stage.TRAINING), True)
        return training_now

    def _draft(self, ws: Workspace) -> None:
        if self._training(ws):
            return
        self._begin(ws, training.draft(ws), "Reading the picture…")

    def _train_more(self, ws: Workspace) -> None:
        ws.stop(LIVE)
        if ws.job is not None and ws.job.under_way:
            ws.meanwhile = False  # back to the page that shows how it goes on
        else:
            ws.train_again = True
        ws.touch()

    def _pause(self, ws: Workspace) -> None:
        paused = ws.job is not None and ws.job.state == "paused"
        self._control(ws, "resume" if paused else "pause")

    def _control(self, ws: Workspace, verb: str) -> None:
        if ws.job is None or not ws.job.under_way:
            ws.tell(_why_not(Stage.READY), True)
            return
        self.plugin.service.start(training.control(ws, verb), verb, _tell_end(ws))

    def _choose_model(self, ws: Workspace) -> None:
        model = str(self.panel.edit_page.model.currentData() or "")
        if model and model != ws.record.model:
            ws.beside(training.take(ws, model), "take")

    # --- painting

    def _paint_on(self, ws: Workspace, name: str) -> None:
        ws.document.setActiveNode(ws.need_planes()[name])

    def _take_colour(self, ws: Workspace, colour: Colour) -> None:
        take_colour(ws, colour)
        self._paint_on(ws, "segments")

    def _view(self, ws: Workspace, name: str) -> None:
        group = ws.group
        if group is not None:
            group.setOpacity(next(opacity for opacity, known in VIEWS if known == name))
            ws.document.refreshProjection()

    def _live(self, ws: Workspace) -> None:
        if ws.running(LIVE):
            ws.stop(LIVE)
            return
        page, group = self.panel.edit_page, ws.group
        if group is not None and group.opacity() == VIEWS[0][0]:
            self._view(ws, "both")  # or nothing of what Live paints would be seen
        ws.tell("")
        ws.live = Live.WATCHING
        ws.beside(live(ws, lambda: page.options, page.keep.isChecked), LIVE)

    def _apply(self, ws: Workspace) -> None:
        if ws.stage in (Stage.EMPTY, Stage.TRAINING) and not things.present(ws):
            ws.tell(_why_not(ws.stage), True)
            return
        self._begin(ws, self._applied(ws), "Reading the underdrawing…")

    def _applied(self, ws: Workspace) -> Steps:
        page = self.panel.edit_page
        if ws.stage is Stage.DRAWN and not ws.record.model:
            yield from training.drafted(ws)
        yield from apply.apply(ws, page.options, bool(page.keep.isChecked()))

    def _region(self, ws: Workspace, operation: str) -> None:
        options = self.panel.edit_page.tools.regions.options(operation)
        self._begin(ws, regions.change(ws, options), "Reading the underdrawing…")

    def _take_back(self, ws: Workspace) -> None:
        page = self.panel.edit_page
        chosen = page.tools.edits.chosen()
        if chosen is None:
            ws.tell("Choose an edit in the list first.", True)
            return
        self._begin(ws, edits.take_back(ws, chosen, page.options), "Taking the edit back…")

    # --- results

    def _others(self, ws: Workspace) -> None:
        self._begin(ws, alternatives.find(ws, self.panel.edit_page.options), "Reading the underdrawing…")

    def _bring_back(self, ws: Workspace, number: int) -> None:
        self._begin(ws, history.bring_back(ws, int(number)), "Bringing the result back…")

    def _back(self, ws: Workspace) -> None:
        number = self.panel.edit_page.tools.history.chosen()
        if not number:
            ws.tell("Choose a result in the list first.", True)
            return
        self._bring_back(ws, number)

    # --- other pictures

    def _layout(self, ws: Workspace) -> None:
        key = str(self.panel.edit_page.tools.other.document.currentData() or "")
        self._begin(ws, regions.layout(ws, external_image.in_document(ws.krita, key)), "Reading the other picture…")

    def _layout_file(self, ws: Workspace) -> None:
        path = external_image.ask_file(self.panel, "A picture whose layout is wanted")
        if path:
            self.layout_of_file(ws, path)

    def layout_of_file(self, ws: Workspace, path: str) -> None:
        """The layout of a picture file."""
        self._begin(ws, regions.layout(ws, external_image.Elsewhere(path=path)), "Reading the other picture…")

    def _match(self, ws: Workspace, part: int, name: str) -> None:
        self._begin(ws, regions.match(ws, part, name), "Changing the underdrawing…")

    def _frames(self, ws: Workspace) -> None:
        frames, options = self.panel.edit_page.tools.frames, self.panel.edit_page.options
        photographs = bool(frames.source.currentData())
        first, last = int(frames.first.value()), int(frames.last.value())
        self._begin(ws, animation.animate(ws, photographs, first, last, options), "Reading the frames…")

    # --- without an underdrawing

    def _use_alone(self, ws: Workspace) -> None:
        if ws.running(generate.NAME):
            ws.tell("Something is being made of this picture already. Wait for it, or cancel it.", True)
            return
        ws.tell("")
        ws.stop(interpolate.NAME)
        self.panel.alone_page.between.again()
        ws.beside(generate.use(ws, self.panel.alone_page.wish), generate.NAME)

    def _look_between(self, ws: Workspace) -> None:
        page = self.panel.alone_page
        wish = page.wish
        if page.isHidden() or wish.use is not Use.BETWEEN or ws.running(generate.NAME):
            return
        if wish.maker and wish.between.other is not None:
            seen, which = page.seen
            # What is asked for already goes on: it looks where the slider is when it comes to that.
            if not (ws.running(interpolate.NAME) and page.between.asking == seen):
                ws.beside(interpolate.look(ws, page, wish, seen, which), interpolate.NAME)

    def _between_file(self, ws: Workspace) -> None:
        path = external_image.ask_file(self.panel, "The picture that the way leads to")
        if path:
            self.panel.alone_page.between.take_file(path)

    def _show_alone(self, ws: Workspace, use: str) -> None:
        self.panel.alone_page.choose(Use(use))
        self.panel.show_alone(True)

    def _control_alone(self, ws: Workspace, verb: str) -> None:
        self.plugin.service.start(generate.control(ws, verb), verb, _tell_end(ws))


def _tell_end(ws: Workspace) -> Callable[[Any], None]:
    def told(task: Any) -> None:
        if task.error is not None and task.error.code != "cancelled":
            ws.tell(hint(task.error), True)

    return told


def _why_not(stage: Stage) -> str:
    """What has to be done first."""
    return {
        Stage.NO_DOCUMENT: "Open a picture first.",
        Stage.EMPTY: "Make an underdrawing first.",
        Stage.DRAWN: "Press “Start editing” first.",
        Stage.TRAINING: "Training is under way. Wait for it, or cancel it.",
        Stage.READY: "No training is under way.",
    }[stage]
