"""Segmentation of a second picture in the palette of a model."""
