"""Furniture and small objects made of solids, one file per family."""
