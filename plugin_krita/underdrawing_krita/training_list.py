"""Every training that the engine has under way, of this picture or another: its progress, and a button to cancel it."""

from __future__ import annotations

from typing import Any, Callable

from . import generate, training
from .client.job_status import JobStatus
from .qt import QtWidgets
from .tasks import Steps
from .widgets import Fold, button, column, label, named, row


class TrainingList(QtWidgets.QWidget):
    """One entry per training: the picture's name, state, progress, *Cancel*. Hidden while there is none.

    Args:
        cancel: is called with the id of the training to cancel.
    """

    def __init__(self, cancel: Callable[[str], Any]) -> None:
        super().__init__()
        self._cancel = cancel
        self._rows: dict[str, _Row] = {}
        self._body = QtWidgets.QWidget()
        self._entries = QtWidgets.QVBoxLayout(self._body)
        self._entries.setContentsMargins(0, 0, 0, 0)
        self.fold = Fold("trainings_fold", "Trainings", "Every training under way, also of other pictures", self._body)
        column(self, self.fold)
        self.hide()

    def show_jobs(self, jobs: list[dict[str, Any]]) -> None:
        """Show these jobs, as the engine describes them."""
        known = {str(raw["job"]): JobStatus.of(raw) for raw in jobs}
        for key in [key for key in self._rows if key not in known]:
            self._rows.pop(key).deleteLater()
        for key, job in known.items():
            if key not in self._rows:
                self._rows[key] = _Row(key, self._cancel)
                self._entries.addWidget(self._rows[key])
            self._rows[key].show_job(job)
        self.fold.rename("Trainings (%d)" % len(known))
        self.setVisible(bool(known))


class _Row(QtWidgets.QWidget):
    def __init__(self, job: str, cancel: Callable[[str], Any]) -> None:
        super().__init__()
        self.text = label("", "training_" + job)
        self.bar = named(QtWidgets.QProgressBar(), "training_progress_" + job, "How far it is")
        self.bar.setRange(0, 100)

        def pressed() -> None:
            self.cancel.setEnabled(False)  # the engine's next status says how it goes on
            cancel(job)

        self.cancel = button("training_cancel_" + job, "Cancel", "Discards this training", pressed)
        column(self, self.text, row(self.bar, self.cancel, stretch=0))

    def show_job(self, job: JobStatus) -> None:
        """Show how far it is."""
        self.text.setText("%s: %s" % (job.name, job.text))
        self.bar.setValue(round(100 * job.fraction))
        self.cancel.setEnabled(job.stopping != "cancel")


def cancel(plugin: Any, job: str) -> Steps:
    """Cancel a training. An open document that waits for it hears of it."""
    for ws in plugin.workspaces.values():
        if ws.job is not None and ws.job.job == job:
            yield from training.control(ws, "cancel")
            return
        if ws.going is not None and ws.going.job is not None and ws.going.job.job == job:
            yield from generate.control(ws, "cancel")
            return
    yield plugin.service.ask("cancel", {"job": job}, (), 60.0)
