"""Build hook: the wheel carries the installer and both plug-ins, which `underdrawing install gimp|krita` needs.

A hook and not plain `force-include`: an editable installation must not get these copies.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = "underdrawing/_carried"
FOLDERS = ("installer", "plugin_gimp", "plugin_krita")


class CarryPlugins(BuildHookInterface[Any]):
    """Adds the folders to a wheel, unchanged and without caches."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling. version: `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"].update({folder: f"{CARRIED}/{folder}" for folder in FOLDERS})
