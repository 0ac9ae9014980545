"""Affinity tensors: checks, files, and computation from losses."""
