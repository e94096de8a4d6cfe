"""A new method is one package: a throw-away one is found, listed and described without a change anywhere else."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from underdrawing.train import methods
from underdrawing.train.method import TrainingError

PACKAGE = '''
"""A throw-away method: the draft under another name."""
from underdrawing.train.methods.draft.run import DraftMethod


class CopyMethod(DraftMethod):
    name = "copy"
    title = "Copy: for a test"


METHOD = CopyMethod()
'''


def test_a_package_in_the_folder_is_a_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="no method called 'copy'"):
        methods.find("copy")
    (tmp_path / "copy_method").mkdir()
    (tmp_path / "copy_method" / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    try:
        assert methods.find("copy").title == "Copy: for a test"
        assert {"copy", "draft", "deepsim", "sia", "consingan", "meta"} <= set(methods.everything())
    finally:
        sys.modules.pop("underdrawing.train.methods.copy_method", None)
