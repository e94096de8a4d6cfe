"""Underdrawing for Krita: a docker. Needs Krita's own Python and PyQt, and nothing else.

`link` is the engine's folder of that name: the installer puts a copy of it here.
"""

from __future__ import annotations

import functools


def _begin() -> None:
    import krita

    from .docker import ID, Docker, Scripts
    from .plugin import Plugin

    application = krita.Krita.instance()
    plugin = Plugin(application)
    right = krita.DockWidgetFactoryBase.DockRight
    application.addDockWidgetFactory(krita.DockWidgetFactory(ID, right, functools.partial(Docker, plugin)))
    application.addExtension(Scripts(application, plugin))


try:
    import krita  # noqa: F401
except ImportError:
    pass  # outside of Krita, where tests look at the widgets alone
else:
    _begin()
