"""Training on one picture: warps, losses, networks, the training loop and the export to ONNX. Needs torch."""
