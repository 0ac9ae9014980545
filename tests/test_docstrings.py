"""Docstrings begin with a plain statement, never with a question word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("taxsolver/src", "taskbank/src", "cli", "benchmarks", "training", "tests")
QUESTION = re.compile(r"(what|where|which|how|whether|whence|whose|who|when|why)\b", re.IGNORECASE)


def faults(source: str) -> Iterator[str]:
    """Line, name and first line of every docstring that begins with a question word.

    Strings that stand below a constant or a field describe it, and count too.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            line, name = getattr(node, "lineno", 1), getattr(node, "name", "<module>")
            described = [(line, name, ast.get_docstring(node) or "")]
            for above, below in pairwise(node.body):
                if (
                    isinstance(above, ast.Assign | ast.AnnAssign)
                    and isinstance(below, ast.Expr)
                    and isinstance(below.value, ast.Constant)
                    and isinstance(below.value.value, str)
                ):
                    target = above.targets[0] if isinstance(above, ast.Assign) else above.target
                    described.append((below.lineno, ast.unparse(target), below.value.value))
            for place, what, text in described:
                if QUESTION.match(text.strip()):
                    yield f"{place}: {what}: {text.strip().splitlines()[0]}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_docstring_begins_with_a_question_word(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} holds no Python file"
    found = [
        f"{path.relative_to(ROOT)}:{fault}"
        for path in files
        for fault in faults(path.read_text(encoding="utf-8"))
    ]
    assert not found, "write a plain statement in place of:\n" + "\n".join(found)


def test_modules_classes_functions_methods_and_constants_are_looked_at() -> None:
    source = '''"""
What a module is."""
class Shape:
    """How it looks."""
    async def area(self):
        """Whether it has one."""
        def inner():
            "why"
def plain():
    """Whatever is written, said how it is meant."""
def without():
    pass
SIDES = 4
"""How many it has."""
'''
    assert sorted(faults(source)) == [
        "14: SIDES: How many it has.",
        "1: <module>: What a module is.",
        "3: Shape: How it looks.",
        "5: area: Whether it has one.",
        "7: inner: why",
    ]
