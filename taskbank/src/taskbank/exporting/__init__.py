"""Exporting: task networks as ONNX and TorchScript files that run without this package."""
