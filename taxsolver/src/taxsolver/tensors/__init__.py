"""Affinity tensors: their checks, their files, and how they are made from losses."""
