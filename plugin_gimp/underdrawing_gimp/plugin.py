"""The plug-in as GIMP sees it: procedures are registered and run, and advice is shown where the person is."""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .arguments import add_arguments, add_returns, value_of
from .client.messages import EngineError
from .gi import Gimp, Gio, GLib, GObject, gtk
from .procedure_spec import Entry
from .procedures import ENTRIES
from .service import sentence
from .single_image_procedures import SINGLE_MENU

HELP = "underdrawing"  # GIMP's name for the pages of our help


class CancelledError(Exception):
    """A window was closed without a choice: nothing was done."""


@dataclass(frozen=True)
class Call:
    """One run of a procedure.

    Attributes:
        entry: which.
        interactive: a person is there; windows may be shown.
        image, drawables: what it works on, and what is selected there; None and nothing without an image.
        procedure, config: GIMP's own, for dialogs.
        values: the arguments by name, underscores for hyphens; read once, before any window.
    """

    entry: Entry
    interactive: bool
    image: Any  # Gimp.Image, or None where the procedure has none
    drawables: list[Any]
    procedure: Gimp.Procedure
    config: Gimp.ProcedureConfig
    values: dict[str, Any]

    def current(self) -> dict[str, Any]:
        """The arguments as they are now, after a dialog has changed them."""
        return arguments_of(self.entry, self.config)


def arguments_of(entry: Entry, config: Gimp.ProcedureConfig) -> dict[str, Any]:
    """Arguments by name, underscores for hyphens."""
    return {argument.name.replace("-", "_"): value_of(config, argument) for argument in entry.arguments}


class Underdrawing(Gimp.PlugIn):
    """Registers and runs everything under Filters > Underdrawing."""

    def do_set_i18n(self, name: str) -> bool:
        """There is one language so far."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Names of all procedures. Their Help opens pages that lie here, with or without GIMP's own manual."""
        self.set_help_domain(HELP, Gio.File.new_for_path(str(Path(__file__).parent / "help")))
        return [entry.name for entry in ENTRIES]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """One of them, with menu entry and arguments."""
        entry = next(entry for entry in ENTRIES if entry.name == name)
        if entry.image:
            made = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self._run_on_image, entry)
            made.set_image_types("*")
            # A grey entry says nothing; one that can be chosen says what is missing.
            made.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.ALWAYS)
        else:
            made = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PLUGIN, self._run, entry)
        if entry.label:
            made.set_menu_label(entry.label)
            made.add_menu_path(entry.menu)
        made.set_documentation(entry.blurb, entry.help, name)
        made.set_attribution("Underdrawing", "Underdrawing", "2026")
        add_arguments(made, entry.arguments)
        add_returns(made, entry.returns)
        return made

    def _run_on_image(
        self, procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, entry: Any = None
    ) -> Gimp.ValueArray:
        interactive = run_mode != Gimp.RunMode.NONINTERACTIVE
        return self._do(procedure, interactive, image, list(drawables or []), config, entry)

    def _run(self, procedure: Any, config: Any, entry: Any = None) -> Gimp.ValueArray:
        interactive = config.get_property("run-mode") != Gimp.RunMode.NONINTERACTIVE
        return self._do(procedure, interactive, None, [], config, entry)

    def _do(
        self, procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any, entry: Entry
    ) -> Gimp.ValueArray:
        if interactive:
            Gimp.context_push()
        try:
            if entry.image and image is None:
                raise EngineError("bad_request", "No picture is open.", "Open a picture first (File > Open).")
            call = Call(entry, interactive, image, drawables, procedure, config, arguments_of(entry, config))
            module, _, function = entry.run.partition(":")
            returned = getattr(importlib.import_module("." + module, __package__), function)(call)
        except CancelledError:
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        except EngineError as error:
            if interactive:
                return _advised(procedure, entry, image, drawables, error)
            return _failed(procedure, sentence(error))
        except Exception as fault:  # noqa: BLE001  A person must hear of it; the console has the rest.
            traceback.print_exc()
            if image is not None and not image.is_valid():
                return _advised(
                    procedure, entry, None, [], EngineError("closed", "The picture was closed meanwhile.", "")
                )
            text = "The plug-in has a fault: %s: %s.\n\nNothing in the picture was left half done." % (
                type(fault).__name__,
                fault,
            )
            return _failed(procedure, text)
        finally:
            if interactive:
                Gimp.context_pop()
        if interactive and image is not None and not image.is_valid():
            # After a success GIMP keeps the arguments with the picture, which was closed meanwhile.
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        for number, (spec, value) in enumerate(zip(entry.returns, returned)):
            _put(values, number + 1, spec.kind, value)
        return values


# What a person who works with an underdrawing can do about an error: text of the button, and the procedure.
REMEDIES = {
    "plane_missing": ("_Make Underdrawing…", "underdrawing-make"),
    "wrong_size": ("_Make Underdrawing…", "underdrawing-make"),
    "unknown_model": ("_Train on This Picture…", "underdrawing-train"),
}


def _advised(
    procedure: Gimp.Procedure, entry: Entry, image: Any, drawables: list[Any], error: EngineError
) -> Gimp.ValueArray:
    """Tell a person what is wrong; where something can be done about it, a button does it.

    GIMP calls whatever a procedure returns as an error an "execution error": this is none.
    """
    remedy = REMEDIES.get(error.code) if entry.menu != SINGLE_MENU else None
    if remedy is None or image is None:
        Gimp.message(" ".join(sentence(error).split("\n\n")))
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    from . import widgets

    gtk()
    if widgets.ask(None, error.message, error.hint, remedy[0], "_Close"):
        other = Gimp.get_pdb().lookup_procedure(remedy[1])
        config = other.create_config()
        config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
        config.set_property("image", image)
        config.set_core_object_array("drawables", drawables)
        other.run(config)
    return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)


def _failed(procedure: Gimp.Procedure, text: str) -> Gimp.ValueArray:
    """GIMP shows the text to a person, and hands it to a script as the last error."""
    domain = GLib.quark_from_string("underdrawing")
    error = GLib.Error.new_literal(domain, text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _put(values: Gimp.ValueArray, index: int, kind: str, value: Any) -> None:
    """Set one return value."""
    types = {
        "string": GObject.TYPE_STRING,
        "int": GObject.TYPE_INT,
        "boolean": GObject.TYPE_BOOLEAN,
        "layer": Gimp.Layer.__gtype__,
        "image": Gimp.Image.__gtype__,
    }
    values.remove(index)
    values.insert(index, GObject.Value(types[kind], value))


def main(words: list[str]) -> None:
    """What GIMP starts."""
    Gimp.main(Underdrawing.__gtype__, words)
    sys.stdout.flush()
