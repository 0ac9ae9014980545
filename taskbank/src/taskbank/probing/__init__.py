"""Probing: estimate in seconds which encoders a target can be read out from, without training networks."""
