"""Rays and the nearest surfaces that they hit."""
