"""Inference: preprocessing, engines, decoding and results."""
