"""Meta Internal Learning: one network that makes models of pictures."""

from underdrawing.train.methods.meta.recipes import METHOD

__all__ = ["METHOD"]
