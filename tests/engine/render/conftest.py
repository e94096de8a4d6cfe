"""Fixtures: a home of an engine, and its library."""

from tests.engine.handmade_model import home, library

__all__ = ["home", "library"]
