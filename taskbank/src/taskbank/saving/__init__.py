"""Predictions and representations as files."""
