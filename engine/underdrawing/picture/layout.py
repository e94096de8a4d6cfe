"""A second picture segmented in a model's palette, so that its layout can be used.

Public: `segment_like(picture, model_picture, model_segments, palette) -> (H, W) uint8 class indices`.
"""
