"""Underdrawing: paint on the outlines and flat areas of a picture, and the picture follows."""

__version__ = "0.1.0"
