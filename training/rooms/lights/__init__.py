"""Lighting: light on surfaces, and light that reaches cameras."""
