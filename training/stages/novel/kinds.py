"""Kinds of labels. Nothing heavy is imported."""

from __future__ import annotations

from enum import StrEnum


class LabelKind(StrEnum):
    """The kinds of a user's labels."""

    IMAGE = "image"
    CLASSES = "classes"
    NUMBERS = "numbers"
