"""Kinds of labels. Nothing heavy is imported."""

from __future__ import annotations

from enum import StrEnum


class LabelKind(StrEnum):
    """What a user's labels are."""

    IMAGE = "image"
    CLASSES = "classes"
    NUMBERS = "numbers"
