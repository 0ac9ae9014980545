"""Furniture and small things out of solids, one file a family."""
