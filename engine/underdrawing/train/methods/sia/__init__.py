"""Semantic Image Analogy: the picture in another layout."""

from underdrawing.train.methods.sia.recipes import METHOD

__all__ = ["METHOD"]
