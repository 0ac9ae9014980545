"""Atomic writing of files, and tolerant reading of CSV."""
