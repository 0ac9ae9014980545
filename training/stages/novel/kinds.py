"""Kinds of labels. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class LabelKind(StrEnum):
    """Kinds of a user's labels."""

    IMAGE = "image"
    CLASSES = "classes"
    NUMBERS = "numbers"
