"""The published checkpoints: listed by `visualpriors`, downloaded from a server on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.taskbank.original.test_convert import TOY
from tests.taskbank.toy import toy_network

from hub_http import Answer, Handler, refusal
from hub_server import listening
from hub_state import HubState, sha256
from taskbank.errors import ChecksumMismatchError, DownloadError, MissingPackageError, MissingTaskError
from taskbank.original.convert import convert
from taskbank.original.published import download, download_published, published_urls

LISTING = "visualpriors.taskonomy_network"
CONTENT = bytes(range(256)) * 20


def _file(handler: Handler, name: str) -> Answer:
    """A file, or the end of it."""
    content = handler.state.objects.get(name)
    if content is None:
        return refusal(404, "", "Not Found")
    start = (handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-")
    if start == str(len(content)):
        return Answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
    return handler.ranged(content, {})


@pytest.fixture
def state() -> HubState:
    """Return the state of the server, `objects` by file name."""
    return HubState(objects={"file": CONTENT})


@pytest.fixture
def address(state: HubState, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of files."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    routes = (("GET", "/(?P<name>[^/]+)", _file),)
    with listening(type("Files", (Handler,), {"state": state, "storage": "", "routes": routes})) as given:
        yield given


@pytest.fixture
def published(state: HubState, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubState:
    """Toy checkpoints of two tasks, published."""
    for task in ("normal", "reshading"):
        network = toy_network(task, TOY)
        for part in ("encoder", "decoder"):
            torch.save({"state_dict": getattr(network, part).state_dict()}, tmp_path / "scratch")
            content = (tmp_path / "scratch").read_bytes()
            state.objects[f"{task}_{part}-{sha256(content)}.pth"] = content
    names = [name for name in state.objects if name.endswith(".pth")]
    monkeypatch.setattr(f"{LISTING}.TASKONOMY_PRETRAINED_WEIGHT_FILES", names)
    monkeypatch.setattr(f"{LISTING}.TASKONOMY_PRETRAINED_WEIGHT_URL_TEMPLATE", address + "/{filename}")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return state


def test_visualpriors_lists_25_encoders_and_17_decoders() -> None:
    """Names, hashes and addresses as installed."""
    urls = published_urls()
    assert sum("_encoder-" in name for name in urls) == 25
    assert sum("_decoder-" in name for name in urls) == 17
    assert all(url.startswith("https://") and url.endswith(name) for name, url in urls.items())


def test_published_checkpoints_become_a_bank(published: HubState, tmp_path: Path) -> None:
    """Only those of the tasks asked for are downloaded, and once."""
    told: list[str] = []
    made = convert("visualpriors", tmp_path / "a", tasks=["normals"], architecture=TOY, report=told.append)
    assert made.bank.tasks == ("normal",)
    assert [text.split()[0] for text in told] == ["downloading", "downloading", "converting"]
    assert all("normal_" in asked.path for asked in published.requests)
    published.forget()
    assert convert("visualpriors", tmp_path / "b", architecture=TOY).bank.tasks == ("normal", "reshading")
    assert all("reshading_" in asked.path for asked in published.requests)
    assert len(list((tmp_path / "home" / "hub" / "checkpoints").glob("*.pth"))) == 4


def test_a_task_that_was_not_published_is_named(published: HubState, tmp_path: Path) -> None:
    """Before anything is downloaded."""
    with pytest.raises(MissingTaskError, match="no task 'random' in the published checkpoints"):
        download_published(tmp_path, ["random"])
    assert published.requests == []


def test_without_visualpriors_the_error_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the other way."""
    monkeypatch.setitem(sys.modules, LISTING, None)
    with pytest.raises(MissingPackageError, match=r"`pip install visualpriors`, or name a folder"):
        convert("visualpriors", tmp_path / "bank")


def test_an_interrupted_download_goes_on(state: HubState, address: str, tmp_path: Path) -> None:
    """From the bytes that had arrived; the file appears when it is whole."""
    state.breaks["/file"] = [1000]
    target = tmp_path / "new" / "file"
    with pytest.raises(DownloadError, match=r"the part that has arrived is kept"):
        download(f"{address}/file", target, sha256(CONTENT))
    assert not target.exists()
    download(f"{address}/file", target, sha256(CONTENT)[:8])
    assert target.read_bytes() == CONTENT
    assert [asked.byte_range for asked in state.requests] == [None, "bytes=1000-"]
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_a_download_that_lacked_only_its_name_is_finished(
    state: HubState, address: str, tmp_path: Path
) -> None:
    """Stopped after the last byte."""
    (tmp_path / "file.partial").write_bytes(CONTENT)
    download(f"{address}/file", tmp_path / "file", sha256(CONTENT))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert state.requests[0].status == 416


def test_a_file_that_is_not_what_its_name_says_is_refused(address: str, tmp_path: Path) -> None:
    """And nothing of it is kept."""
    with pytest.raises(ChecksumMismatchError, match="as its name says: try again"):
        download(f"{address}/file", tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["{}/nothing", "http://127.0.0.1:9/x", "file:///etc/passwd", "nonsense"])
def test_an_address_that_gives_nothing_is_told(address: str, tmp_path: Path, url: str) -> None:
    """Missing, no server, not of the web."""
    with pytest.raises(DownloadError, match=r"cannot download .*put the file into"):
        download(url.format(address), tmp_path / "file", "0" * 64)
