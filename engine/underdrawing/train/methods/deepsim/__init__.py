"""DeepSIM: a conditional GAN trained on one pair of primitive and picture."""

from underdrawing.train.methods.deepsim.recipes import METHOD

__all__ = ["METHOD"]
