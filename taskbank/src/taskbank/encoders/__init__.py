"""Encoders of timm and the Hub: one feature level of a model, as a map with its own size and colours."""
