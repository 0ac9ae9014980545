"""The writing half of the loopback Hub: new repositories and branches, uploads, commits."""

from __future__ import annotations

import base64
import json
from typing import Any

from hub_http import Answer, Handler, refusal
from hub_state import Repo, git_hash, is_large, sha256


def _barred(handler: Handler, owner: str) -> Answer | None:
    """The refusal that everybody but the owner gets."""
    if not handler.account:
        return refusal(401, "", "Invalid username or password.")
    if handler.account != owner:
        return refusal(403, "", f"You don't have the rights to write under the namespace {owner!r}")
    return None


def create(handler: Handler) -> Answer:
    """An empty repository."""
    asked = handler.json
    owner = asked["organization"]
    barred = _barred(handler, owner)
    if barred:
        return barred
    name = f"{owner}/{asked['name']}"
    if name in handler.state.repos:
        return Answer.of({"error": "You already created this model repo", "url": f"/{name}"}, 409)
    private = asked.get("private", False) or asked.get("visibility") == "private"
    handler.state.repos[name] = Repo(private=bool(private))
    handler.state.repos[name].commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"})
    return Answer.of({"url": f"http://{handler.headers['Host']}/{name}"})


def branch(handler: Handler, repo: str, branch: str) -> Answer:
    """A branch from the head of another."""
    barred = _barred(handler, repo.split("/", maxsplit=1)[0])
    if barred:
        return barred
    known = handler.state.repos[repo]
    if branch in known.branches:
        return Answer.of({"error": "Reference already exists"}, 409)
    known.branches[branch] = known.branches[handler.json.get("startingPoint", "main")]
    return Answer.of({})


def validate(handler: Handler) -> Answer:
    """Check that a card begins with metadata."""
    content = handler.json["content"]
    if not content.startswith("---\n"):
        return Answer.of({"warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
    return Answer.of({"warnings": [], "errors": []})


def preupload(handler: Handler, repo: str, revision: str) -> Answer:
    """For each file whether it goes to the storage or into the commit."""
    barred = _barred(handler, repo.split("/", maxsplit=1)[0])
    if barred:
        return barred
    there = handler.state.repos[repo].files(revision)
    return Answer.of({"files": [_mode(file["path"], there) for file in handler.json["files"]]})


def _mode(path: str, there: dict[str, bytes]) -> dict[str, Any]:
    """Return the upload mode of a file, and the name of the content that is there already."""
    name = sha256 if is_large(path) else git_hash
    oid = name(there[path]) if path in there else None
    mode = "lfs" if is_large(path) else "regular"
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid}


def batch(handler: Handler, repo: str) -> Answer:
    """Answer with the uploads of large files: none if a file is there, in one piece, or in parts."""
    barred = _barred(handler, repo.split("/", maxsplit=1)[0])
    if barred:
        return barred
    asked = handler.json["objects"]
    return Answer.of({"transfer": "basic", "objects": [_action(handler, wanted) for wanted in asked]})


def _action(handler: Handler, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the upload actions of one large file."""
    oid, size, limit = wanted["oid"], wanted["size"], handler.state.part_size
    named = {"oid": oid, "size": size}
    if oid in handler.state.objects:
        return named
    hub = f"http://{handler.headers['Host']}"
    upload: dict[str, Any] = {"href": f"{handler.storage}/objects/{oid}"}
    if size > limit:
        count = -(-size // limit)
        parts = {str(number): f"{handler.storage}/objects/{oid}/{number}" for number in range(1, count + 1)}
        upload = {"href": f"{hub}/lfs/complete/{oid}", "header": {"chunk_size": str(limit), **parts}}
    return {**named, "actions": {"upload": upload, "verify": {"href": f"{hub}/lfs/verify"}}}


def store(handler: Handler, digest: str, part: str = "") -> Answer:
    """Keep a large file, or a part of one."""
    if part:
        handler.state.parts[digest, int(part)] = handler.content
    else:
        handler.state.objects[digest] = handler.content
    return Answer(200, b"", {"ETag": f'"{sha256(handler.content)}"'})


def complete(handler: Handler, digest: str) -> Answer:
    """Put the parts of a large file together."""
    numbers = [part["partNumber"] for part in handler.json["parts"]]
    handler.state.objects[digest] = b"".join(handler.state.parts.pop((digest, n)) for n in numbers)
    return Answer.of({})


def verify(handler: Handler) -> Answer:
    """Check that a large file arrived as it was announced."""
    oid = handler.json["oid"]
    whole = sha256(handler.state.objects.get(oid, b"")) == oid
    return Answer.of({} if whole else {"error": "the object is missing or damaged"}, 200 if whole else 422)


def commit(handler: Handler, repo: str, revision: str) -> Answer:
    """Put files on top of a branch: all of them or none."""
    barred = _barred(handler, repo.split("/", maxsplit=1)[0])
    if barred:
        return barred
    changes = {}
    for line in map(json.loads, handler.content.splitlines()):
        value = line["value"]
        if line["key"] == "file":
            changes[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            changes[value["path"]] = handler.state.objects[value["oid"]]
    oid = handler.state.repos[repo].commit(revision, changes)
    url = f"http://{handler.headers['Host']}/{repo}/commit/{oid}"
    return Answer.of({"success": True, "commitOid": oid, "commitUrl": url})
