"""Banks from a Hub: the real client against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

from hub_server import HubServer, hub_server, quiet_client
from hub_state import git_hash
from taskbank.bank.bank import Bank
from taskbank.bank.hub import HubFiles, HubSource, parse_hub_source
from taskbank.bank.index import INDEX_NAME, decoder_path, encoder_path
from taskbank.errors import (
    BankFormatError,
    ChecksumMismatchError,
    HubAccessError,
    HubError,
    HubNotFoundError,
    HubUnreachableError,
    InvalidInputError,
    MissingTaskError,
)

REPO = "someone/toy-bank"
SOURCE = f"hf://{REPO}"
NORMAL = [encoder_path("normal"), decoder_path("normal")]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a toy bank by their places."""
    folder = tmp_path_factory.mktemp("bank")
    networks = {"normal": toy_network("normal", seed=1), "reshading": toy_network("reshading", seed=2)}
    readout = toy_readout(("normal",), "reshading", seed=3)
    Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, transfers=(readout,))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


@pytest.fixture
def server(
    contents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HubServer]:
    """A Hub with the toy bank and one account."""
    with quiet_client(monkeypatch, tmp_path), hub_server() as running:
        running.state.accounts["hf_secret"] = "someone"
        running.state.add(REPO, contents)
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache."""
    return tmp_path / "cache"


def test_a_cold_load_downloads_only_what_it_needs(server: HubServer, cache: Path) -> None:
    """The index, the encoder and the decoder of one task; nothing when the bank is opened but the index."""
    bank = Bank.open(SOURCE, hub=server.client(cache))
    assert server.state.bodies() == [INDEX_NAME]
    assert bank.tasks == ("normal", "reshading")
    image = torch.zeros(1, 3, 64, 64)
    with torch.inference_mode():
        difference = (bank.load("normal")(image) - toy_network("normal", seed=1)(image)).abs().max()
    assert difference < 0.01
    assert server.state.bodies() == [INDEX_NAME, *NORMAL]


def test_an_encoder_alone_needs_one_file_more(server: HubServer, cache: Path) -> None:
    """And a transfer one."""
    bank = Bank.open(SOURCE, hub=server.client(cache))
    bank.load_encoder("normal")
    bank.load_transfer(["normal"], "reshading")
    assert server.state.bodies() == [INDEX_NAME, NORMAL[0], "transfers/normal__reshading.safetensors"]


def test_a_warm_cache_transfers_no_body(server: HubServer, cache: Path) -> None:
    """One question about the branch; none at all where a commit is pinned."""
    first = Bank.open(SOURCE, hub=server.client(cache))
    first.load("normal")
    server.state.forget()
    second = Bank.open(SOURCE, hub=server.client(cache))
    second.load("normal")
    assert [asked.method for asked in server.state.requests] == ["HEAD"]
    assert server.state.bodies() == []
    server.state.forget()
    Bank.open(second.where, hub=server.client(cache)).load("normal")
    assert server.state.requests == []


def test_a_bank_stays_at_the_commit_at_which_it_was_opened(
    server: HubServer, cache: Path, contents: dict[str, bytes]
) -> None:
    """Also when the branch moves between the index and the weights."""
    bank = Bank.open(SOURCE, hub=server.client(cache))
    old = server.state.repos[REPO].branches["main"]
    server.state.repos[REPO].commit("main", {NORMAL[0]: b"other", INDEX_NAME: b"{}"})
    bank.load("normal")
    assert bank.where == f"{SOURCE}@{old}"
    pinned = Bank.open(f"{SOURCE}@{old}", hub=server.client(cache / "other"))
    assert pinned.digest == bank.digest
    assert (cache / "models--someone--toy-bank" / "blobs" / git_hash(contents[INDEX_NAME])).is_file()


def test_a_named_revision_is_opened(server: HubServer, cache: Path) -> None:
    """A branch, here with another index."""
    server.state.repos[REPO].commit("empty", {INDEX_NAME: b"{}"})
    with pytest.raises(BankFormatError, match="does not describe a bank"):
        Bank.open(f"{SOURCE}@empty", hub=server.client(cache))


def test_a_broken_download_goes_on_where_it_broke(
    server: HubServer, cache: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With range requests for the rest, until all is there; huggingface_hub counts in chunks of 10 MiB."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 250)
    server.state.breaks[NORMAL[0]] = [1000, 500]
    Bank.open(SOURCE, hub=server.client(cache)).load("normal")
    asked = [request for request in server.state.requests if request.path.endswith(f"?name={NORMAL[0]}")]
    ranges = [request.byte_range for request in asked if request.method == "GET"]
    assert ranges == [None, "bytes=1000-", "bytes=1500-"]
    assert sum(request.sent for request in asked) == len(contents[NORMAL[0]])


def test_an_interrupted_load_keeps_the_files_that_arrived(server: HubServer, cache: Path) -> None:
    """Only the file that broke off too often is fetched again."""
    server.state.breaks[NORMAL[1]] = [0] * 9
    bank = Bank.open(SOURCE, hub=server.client(cache))
    with pytest.raises(
        HubUnreachableError, match=r"decoders/normal.* does not answer .*arrived whole are kept"
    ):
        bank.load("normal")
    server.state.breaks.clear()
    server.state.forget()
    bank.load("normal")
    assert server.state.bodies() == NORMAL[1:]


def test_a_damaged_file_is_refused_and_forgotten(server: HubServer, cache: Path) -> None:
    """The next call downloads it again."""
    server.state.damaged.add(NORMAL[0])
    bank = Bank.open(SOURCE, hub=server.client(cache))
    with pytest.raises(ChecksumMismatchError, match=r"has sha256 .* it was removed from the cache"):
        bank.load("normal")
    assert not list(cache.rglob("normal.safetensors"))
    server.state.damaged.clear()
    server.state.forget()
    bank.load("normal")
    assert server.state.bodies() == NORMAL


def test_a_task_that_the_bank_lacks_is_named_without_a_download(server: HubServer, cache: Path) -> None:
    """The index knows."""
    bank = Bank.open(SOURCE, hub=server.client(cache))
    with pytest.raises(MissingTaskError, match=rf"no task 'curvature' in the bank {SOURCE}@"):
        bank.load("curvature")
    assert server.state.bodies() == [INDEX_NAME]


def test_a_cache_that_cannot_be_written_is_named(server: HubServer, tmp_path: Path) -> None:
    """With the way out; a folder below a file stands for a read-only one, which root could write."""
    (tmp_path / "file").touch()
    with pytest.raises(
        HubError, match=r"file/cache, in its cache, cannot be written \(Not a directory\): set HF"
    ):
        Bank.open(SOURCE, hub=server.client(tmp_path / "file" / "cache"))


def test_a_file_that_the_repository_lacks_is_named(server: HubServer, cache: Path) -> None:
    """A bank that was pushed in part."""
    commit = server.state.repos[REPO].branches["main"]
    del server.state.repos[REPO].commits[commit][NORMAL[0]]
    bank = Bank.open(SOURCE, hub=server.client(cache))
    with pytest.raises(
        BankFormatError, match=r"lacks the file encoders/normal.safetensors that its bank.json"
    ):
        bank.load("normal")


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (f"{SOURCE}@v9", HubNotFoundError, r"@v9: the repository has no such revision"),
        ("hf://someone/nothing", HubNotFoundError, r"shows no such repository: check owner and name"),
        ("hf://someone/other", BankFormatError, r"is not a bank: the repository has no bank.json"),
        ("hf://someone/private", HubNotFoundError, r"if it is private, log in with `hf auth login` or set"),
        ("hf://someone/gated", HubAccessError, r"is gated: ask for access .*HF_TOKEN \(Access to model"),
        ("hf://some--one/toy", InvalidInputError, r"hf://some--one/toy cannot be a repository"),
    ],
)
def test_a_repository_that_cannot_be_opened_is_explained(
    server: HubServer, cache: Path, source: str, kind: type[Exception], message: str
) -> None:
    """Wrong revision, wrong name, something else, private, gated, impossible."""
    server.state.add("someone/other", {"README.md": b"hello"})
    server.state.add("someone/private", {}, private=True)
    server.state.add("someone/gated", {}, gated=True)
    with pytest.raises(kind, match=message):
        Bank.open(source, hub=server.client(cache))


def test_a_wrong_token_is_told(server: HubServer, cache: Path) -> None:
    """It is not taken for a missing repository."""
    with pytest.raises(HubAccessError, match=r"does not allow this \(Invalid credentials in Authorization"):
        Bank.open(SOURCE, hub=server.client(cache, "hf_wrong"))


def test_a_token_opens_a_private_bank_and_stays_on_the_hub(
    server: HubServer, cache: Path, contents: dict[str, bytes]
) -> None:
    """The storage of large files never sees it."""
    server.state.add("someone/private", contents, private=True)
    Bank.open("hf://someone/private", hub=server.client(cache, "hf_secret")).load("normal")
    seen = {asked.path.startswith("/objects/"): asked.token for asked in server.state.requests}
    assert seen == {False: True, True: False}


def test_without_a_server_a_cached_bank_opens_and_another_does_not(
    contents: dict[str, bytes], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that the branch last meant is used."""
    with quiet_client(monkeypatch, tmp_path):
        with hub_server() as server:
            server.state.add(REPO, contents)
            Bank.open(SOURCE, hub=server.client(cache)).load("normal")
        bank = Bank.open(SOURCE, hub=server.client(cache))
        bank.load("normal")
        with pytest.raises(HubUnreachableError, match=rf"{server.endpoint} does not answer"):
            bank.load("reshading")
        with pytest.raises(HubUnreachableError, match=r"bank.json is not in the cache, and http://127"):
            Bank.open("hf://someone/else", hub=server.client(cache))


def test_offline_a_cached_bank_opens_and_another_does_not(server: HubServer, cache: Path) -> None:
    """Without a single request, with the command that helps."""
    Bank.open(SOURCE, hub=server.client(cache)).load("normal")
    server.state.forget()
    bank = Bank.open(SOURCE, hub=server.client(cache, offline=True))
    bank.load("normal")
    with pytest.raises(
        HubUnreachableError, match=r"unset HF_HUB_OFFLINE .*taskbank download hf://someone/toy"
    ):
        bank.load("reshading")
    assert server.state.requests == []


def test_an_address_that_is_no_hub_is_told(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web server that knows nothing of repositories."""
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with (
        quiet_client(monkeypatch, tmp_path),
        ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as web,
    ):
        Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}).start()
        settings = HubServer(f"http://127.0.0.1:{web.server_port}", None).client(cache)  # type: ignore[arg-type]
        with pytest.raises(HubError, match="404"):
            Bank.open(SOURCE, hub=settings)
        web.shutdown()


def test_a_source_is_a_repository_and_a_revision() -> None:
    """And is written as it was read."""
    assert parse_hub_source("hf://a/b.c-d_1") == HubSource("a/b.c-d_1")
    assert parse_hub_source("hf://a/b@refs/pr/1") == HubSource("a/b", "refs/pr/1")
    assert str(parse_hub_source("hf://a/b@v1")) == "hf://a/b@v1"


@pytest.mark.parametrize(
    "text", ["hf://", "hf://a", "hf://a/b/c", "hf://a/b@", "hf://a/b@ x", "hf://datasets/a/b"]
)
def test_an_incomplete_source_is_refused(text: str) -> None:
    """With both forms."""
    with pytest.raises(InvalidInputError, match="write hf://owner/name or hf://owner/name@revision"):
        Bank.open(text)


def test_a_file_of_another_size_is_not_downloaded(server: HubServer, cache: Path) -> None:
    """Asked for before the first byte: a bank could fill the disk with it."""
    bank = Bank.open(SOURCE, hub=server.client(cache))
    server.state.repos[REPO].commit("large", {NORMAL[0]: bytes(1_000_000)})
    other = HubFiles(HubSource(REPO, "large"), server.client(cache))
    with pytest.raises(ChecksumMismatchError, match=r"has 1000000 bytes, but its bank.json states \d+"):
        other.read(bank.entry("normal").files[0])
    assert "GET" not in [asked.method for asked in server.state.requests if NORMAL[0] in asked.path]
