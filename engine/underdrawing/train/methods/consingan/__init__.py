"""ConSinGAN: pictures without an underdrawing."""

from underdrawing.train.methods.consingan.recipes import METHOD

__all__ = ["METHOD"]
