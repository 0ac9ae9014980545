"""Exporting: task networks as ONNX and TorchScript files that need nothing of this package."""
