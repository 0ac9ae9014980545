"""The state of a Hub: repositories with commits and branches, accounts, large files, and faults to show."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

Files = dict[str, bytes]


@dataclass(frozen=True)
class Request:
    """One request as it was answered.

    Attributes:
        method: of HTTP.
        path: with the query.
        status: of the answer.
        sent: bytes of the answer's body.
        byte_range: the header `Range`, or None.
        token: whether there was a header `Authorization`.
    """

    method: str
    path: str
    status: int
    sent: int
    byte_range: str | None
    token: bool


@dataclass
class Repo:
    """A repository: commit -> place -> content, and what branches point to."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit(self, branch: str, changes: Mapping[str, bytes]) -> str:
        """Put files on top of a branch; the new commit."""
        files = {**self.files(branch), **changes} if branch in self.branches else dict(changes)
        text = repr((branch, len(self.commits), sorted(files.items())))
        name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[name] = files
        self.branches[branch] = name
        return name

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch or commit name means."""
        name = self.branches.get(revision, revision)
        return name if name in self.commits else None

    def files(self, revision: str) -> Files:
        """All files at a revision."""
        return self.commits[self.branches.get(revision, revision)]


@dataclass
class HubState:
    """All of a Hub.

    Attributes:
        repos: by `owner/name`.
        accounts: token -> name of the account, which may write where it is the owner.
        objects: large files by sha256.
        parts: pieces of large files that are on their way, by sha256 and number.
        breaks: place -> after how many bytes the connection breaks, once each.
        damaged: places whose content is served with its last byte changed.
        part_size: files larger than that are uploaded in parts.
        requests: all there were.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    part_size: int = 1 << 30
    requests: list[Request] = field(default_factory=list)

    def add(
        self, name: str, files: Mapping[str, bytes], *, private: bool = False, gated: bool = False
    ) -> str:
        """A repository with one commit on `main`; the commit."""
        self.repos[name] = Repo(private=private, gated=gated)
        for path, content in files.items():
            if is_large(path):
                self.objects[sha256(content)] = content
        return self.repos[name].commit("main", files)

    def bodies(self) -> list[str]:
        """Places of the files of which a body was sent, in order."""
        files = [asked for asked in self.requests if "/resolve/" in asked.path or "?name=" in asked.path]
        return [place_of(asked.path) for asked in files if asked.method == "GET" and asked.sent]

    def forget(self) -> None:
        """Empty the list of requests."""
        self.requests.clear()


def place_of(path: str) -> str:
    """The place in the repository that a request was about."""
    if "/resolve/" in path:
        return path.split("/resolve/")[1].partition("/")[2]
    return path.rsplit("?name=", maxsplit=1)[-1]


def is_large(path: str) -> bool:
    """Tell whether a file is kept as a large one."""
    return path.endswith(".safetensors")


def sha256(content: bytes) -> str:
    """Hexadecimal sha256."""
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    """The name under which git keeps a small file."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
