"""The draft: no training."""

from underdrawing.train.methods.draft.run import METHOD

__all__ = ["METHOD"]
