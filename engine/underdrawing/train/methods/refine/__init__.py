"""Refinement of a draft."""

from underdrawing.train.methods.refine.run import METHOD

__all__ = ["METHOD"]
