"""The commands and Python programs that documents and `--help` tell people to type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("training/*/README.md"),
        *ROOT.glob("cli/*/*/README.md"),
        *ROOT.glob("taskbank/src/taskbank/banks/*/README.md"),
    ]
)

_FENCED = re.compile(r"```(\w*)\n(.*?)```", flags=re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_SETTING = r"(?:[A-Z_]+=\S+ )*"
_OURS = re.compile(rf"{_SETTING}(?:taxsolver|taskbank|python -m (?:training|taskbank_demo)|training/)\S* ?.*")
_TYPED = re.compile(rf"{_SETTING}(?:taxsolver|taskbank|python|training/|pip|make|uv|git) ?\S*.*")
_EXAMPLE = re.compile(
    r"^(?:Examples?:)?\s*((?:taxsolver|taskbank|python -m training) .+)$", flags=re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Documented:
    """One command.

    Attributes:
        words: as they stand there, without a comment at the end.
        place: of the document, or the command whose `--help` it is.
    """

    words: str
    place: str


def commands_of_documents() -> Iterator[Documented]:
    """Each line of a shell block or a session, and each command of ours between backquotes.

    What goes on in the next line is one command. The change log only mentions commands.
    """
    for document in DOCUMENTS:
        place = document.relative_to(ROOT).as_posix()
        text = document.read_text(encoding="utf-8")
        for language, block in _FENCED.findall(text):
            lines = block.replace("\\\n", " ").splitlines()
            if language == "console":
                lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            elif language != "sh":
                continue
            for line in lines:
                words = " ".join(re.sub(r"\s+#.*", "", line).split())
                if _TYPED.fullmatch(words):
                    yield Documented(words, place)
        if document.name != "CHANGELOG.md":
            for words in _INLINE.findall(_FENCED.sub("", text)):
                if _OURS.fullmatch(words) and " " in words:
                    yield Documented(words, place)


def commands_of_help(app: typer.Typer, name: str) -> Iterator[Documented]:
    """The examples in the help of an app and of all its commands.

    Args:
        app: a command with its subcommands.
        name: what people type for it.
    """
    yield from _examples(typer.main.get_command(app), name)


def _examples(command: Any, name: str) -> Iterator[Documented]:
    text = f"{command.help or ''}\n{command.epilog or ''}"
    for words in _EXAMPLE.findall(text):
        yield Documented(" ".join(words.split()), f"{name} --help")
    for part, each in getattr(command, "commands", {}).items():
        yield from _examples(each, f"{name} {part}")


def programs() -> Iterator[Documented]:
    """Each Python block of the documents."""
    for document in DOCUMENTS:
        for language, block in _FENCED.findall(document.read_text(encoding="utf-8")):
            if language == "python":
                yield Documented(block, document.relative_to(ROOT).as_posix())
