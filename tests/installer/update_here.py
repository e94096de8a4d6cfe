"""A copy of Underdrawing in small, updated in this process, which ends itself abruptly at a chosen moment.

    python update_here.py ROOT WHEELS TEMPLATE MOMENT

MOMENT counts the steps that change something on the disk; 0 lets it run to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "installer")]

import shutil  # noqa: E402

import ud_env  # noqa: E402
import ud_update  # noqa: E402
from tests.installer.conftest import shrink  # noqa: E402
from ud_pip import Pip, Where  # noqa: E402
from ud_report import InstallError, Reporter  # noqa: E402


def count(moment: int) -> None:
    """Let this process be killed: 1 is just before the first step, 2 just after it, 3 before the second, and so on."""
    seen = 0

    def counted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def step(*args: Any, **more: Any) -> Any:
            nonlocal seen
            seen += 1
            mine = seen
            if moment == 2 * mine - 1:
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*args, **more)
            if moment == 2 * mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        setattr(owner, name, step)

    counted(Path, "rename")
    # What is deleted elsewhere (temporary folders, say) is no step of an update.
    ud_update.shutil = SimpleNamespace(rmtree=shutil.rmtree)  # type: ignore[assignment]
    counted(ud_update.shutil, "rmtree")
    counted(Pip, "install")
    counted(ud_env.Environment, "check")


def main(root: str, wheels: str, template: str, moment: str) -> int:
    shrink(Path(root), setattr, Path(template))
    environment = ud_env.Environment(Path(root) / ".venv", Reporter(), Where(offline=Path(wheels)))
    if int(moment):
        count(int(moment))
    try:
        ud_update.settle(environment, environment.report)
        ud_update.renew(environment, None, environment.report)
    except InstallError as error:
        environment.report.fail(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
