"""A Hub on loopback: the parts of the protocol that huggingface_hub speaks to read and to push a model.

Two servers, as in the real thing: the Hub itself, and the storage of large files on another origin, to which
the Hub redirects and which must not be shown any token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import close_session, constants

import hub_commits
from hub_http import Answer, Handler, refusal
from hub_state import HubState, Repo, git_hash, is_large, sha256
from taskbank.bank.hub import Hub

_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"


def _barred(handler: Handler, name: str) -> Answer | None:
    """The refusal that somebody gets who may not see a repository."""
    account, repo = handler.account, handler.state.repos.get(name)
    if account == "":
        return refusal(401, "", "Invalid credentials in Authorization header")
    owner = account == name.split("/", maxsplit=1)[0]
    if repo is None or (repo.private and not owner):
        return refusal(404 if account else 401, "RepoNotFound", "Repository not found")
    if repo.gated and not owner:
        return refusal(403 if account else 401, "GatedRepo", f"Access to model {name} is restricted")
    return None


def visible(route: Callable[[Handler, str, Repo, str], Answer]) -> Callable[..., Answer]:
    """A route about a repository and a revision that must be there and may be seen."""

    def checked(handler: Handler, repo: str, revision: str = "main", path: str = "") -> Answer:
        barred = _barred(handler, repo)
        if barred:
            return barred
        commit = handler.state.repos[repo].resolve(revision)
        if commit is None:
            return refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return route(handler, commit, handler.state.repos[repo], path or repo)

    return checked


@visible
def _resolve(handler: Handler, commit: str, repo: Repo, path: str) -> Answer:
    """A file, or where its large content lies."""
    files = repo.files(commit)
    headers = {"X-Repo-Commit": commit}
    if path not in files:
        missing = refusal(404, "EntryNotFound", "Entry not found")
        return Answer(missing.status, missing.body, missing.headers | headers)
    content = files[path]
    if not is_large(path):
        return handler.ranged(content, headers | {"ETag": f'"{git_hash(content)}"'})
    digest = sha256(content)
    linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
    place = {"Location": f"{handler.storage}/objects/{digest}?name={path}"}
    return Answer(302, b"", headers | linked | place)


@visible
def _info(_: Handler, commit: str, repo: Repo, name: str) -> Answer:
    """Return the answer to `model_info`."""
    siblings = [{"rfilename": path} for path in repo.files(commit)]
    described = {"id": name, "modelId": name, "sha": commit, "private": repo.private, "siblings": siblings}
    return Answer.of({**described, "tags": [], "downloads": 0, "likes": 0, "gated": repo.gated})


@visible
def _tree(_: Handler, commit: str, repo: Repo, name: str) -> Answer:
    """All files with their sizes."""
    del name
    files = repo.files(commit).items()
    listed = [
        {"type": "file", "path": path, "size": len(text), "oid": git_hash(text)} for path, text in files
    ]
    return Answer.of(listed)


def _stored(handler: Handler, digest: str) -> Answer:
    """A large file, from the storage."""
    if "Authorization" in handler.headers:
        return refusal(400, "", "only one auth mechanism allowed")
    body = handler.state.objects[digest]
    if handler.path.split("?name=")[-1] in handler.state.damaged:
        body = body[:-1] + bytes([body[-1] ^ 1])
    return handler.ranged(body, {"ETag": f'"{digest}"'})


class HubHandler(Handler):
    """The Hub itself."""

    routes = (
        ("GET|HEAD", rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _resolve),
        ("GET", rf"/api/models/{_REPO}(/revision/(?P<revision>[^/]+))?", _info),
        ("GET", rf"/api/models/{_REPO}/tree/(?P<revision>[^/]+)", _tree),
        ("POST", "/api/repos/create", hub_commits.create),
        ("POST", "/api/validate-yaml", hub_commits.validate),
        ("POST", rf"/api/models/{_REPO}/branch/(?P<branch>[^/]+)", hub_commits.branch),
        ("POST", rf"/api/models/{_REPO}/preupload/(?P<revision>[^/]+)", hub_commits.preupload),
        ("POST", rf"/{_REPO}\.git/info/lfs/objects/batch", hub_commits.batch),
        ("POST", r"/lfs/complete/(?P<digest>\w+)", hub_commits.complete),
        ("POST", r"/lfs/verify", hub_commits.verify),
        ("POST", rf"/api/models/{_REPO}/commit/(?P<revision>[^/]+)", hub_commits.commit),
    )


class StorageHandler(Handler):
    """The storage of large files."""

    routes = (
        ("GET|HEAD", r"/objects/(?P<digest>\w+)", _stored),
        ("PUT", r"/objects/(?P<digest>\w+)(/(?P<part>\d+))?", hub_commits.store),
    )


@dataclass(frozen=True)
class HubServer:
    """A Hub that answers.

    Attributes:
        endpoint: its address.
        state: what it knows.
    """

    endpoint: str
    state: HubState

    def client(self, cache: Path, token: str | None = None, *, offline: bool = False) -> Hub:
        """The settings that lead a client here."""
        return Hub(endpoint=self.endpoint, cache=cache, token=token, offline=offline)


class _Server(ThreadingHTTPServer):
    """A server that can be gone at once, with the connections that clients keep open."""

    daemon_threads = True

    def __init__(self, kind: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), kind)
        self.connections: list[socket] = []

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Remember the connection."""
        if isinstance(request, socket):
            self.connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        """Break all connections."""
        for connection in self.connections:
            with suppress(OSError):  # most are closed already
                connection.shutdown(SHUT_RDWR)


@contextmanager
def listening(kind: type[Handler]) -> Iterator[str]:
    """A server in a thread; its address."""
    server = _Server(kind)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """A Hub without repositories, until the end of the block."""
    state = HubState()
    storage = type("Storage", (StorageHandler,), {"state": state, "storage": ""})
    with listening(storage) as address:
        # Under another host name: huggingface_hub follows redirects within a host, and looks for metadata there.
        elsewhere = address.replace("127.0.0.1", "localhost")
        hub = type("Hub", (HubHandler,), {"state": state, "storage": elsewhere})
        with listening(hub) as endpoint:
            yield HubServer(endpoint, state)


@contextmanager
def quiet_client(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """huggingface_hub without this machine's settings and waits, and without Xet, which needs more servers."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    try:
        yield
    finally:
        close_session()
