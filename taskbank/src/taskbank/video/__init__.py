"""Predictions for videos. Needs PyAV."""
