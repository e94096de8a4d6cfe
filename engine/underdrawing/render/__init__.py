"""Applies models: the render worker, graphs run by onnxruntime, drafts, generated pictures."""
