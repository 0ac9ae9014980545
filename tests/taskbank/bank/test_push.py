"""Banks pushed to a Hub: the real client against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, toy_network

from hub_server import HubServer, hub_server, quiet_client
from taskbank.bank.bank import Bank
from taskbank.bank.hub import Hub
from taskbank.bank.index import INDEX_NAME, encoder_path
from taskbank.errors import (
    ChecksumMismatchError,
    HubAccessError,
    HubError,
    HubUnreachableError,
    InvalidInputError,
)

REPO = "someone/pushed"

# huggingface_hub uploads files in a way that its own HTTP library wants it to give up.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """A toy bank."""
    networks = {"normal": toy_network("normal", seed=1), "reshading": toy_network("reshading", seed=2)}
    return Bank.save(
        tmp_path / "bank", name="toy", architecture=TOY_COMPACT, networks=networks, licence="MIT"
    )


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with two accounts and no repository."""
    with quiet_client(monkeypatch, tmp_path), hub_server() as running:
        running.state.accounts |= {"hf_secret": "someone", "hf_other": "other"}
        yield running


@pytest.fixture
def owner(server: HubServer, tmp_path: Path) -> Hub:
    """The settings of the owner's client."""
    return server.client(tmp_path / "cache", "hf_secret")


def paths(server: HubServer, method: str) -> list[str]:
    """Return the paths that were requested with one method."""
    return [asked.path for asked in server.state.requests if asked.method == method]


def test_a_pushed_bank_opens_with_the_same_weights(bank: Bank, server: HubServer, owner: Hub) -> None:
    """At just the commit that was made; large files went to the storage, the token did not."""
    source = bank.push_to_hub(REPO, hub=owner)
    again = Bank.open(source, hub=owner)
    assert (again.where, again.digest, again.tasks) == (source, bank.digest, bank.tasks)
    for task in bank.tasks:
        expected, given = bank.load(task).state_dict(), again.load(task).state_dict()
        assert all(torch.equal(expected[name], given[name]) for name in expected)
    assert len(paths(server, "PUT")) == 4
    assert not any(asked.token for asked in server.state.requests if asked.path.startswith("/objects"))


def test_all_files_come_with_one_commit_and_a_card(bank: Bank, server: HubServer, owner: Hub) -> None:
    """Nobody sees half a bank."""
    bank.push_to_hub(REPO, hub=owner)
    assert len([path for path in paths(server, "POST") if "/commit/" in path]) == 1
    files = server.state.repos[REPO].files("main")
    assert set(files) - {".gitattributes"} == {
        INDEX_NAME,
        "README.md",
        *(file.path for file in bank.index.files),
    }
    assert f'Bank.open("hf://{REPO}")' in files["README.md"].decode()


def test_a_card_of_ones_own_replaces_the_generated_one(bank: Bank, server: HubServer, owner: Hub) -> None:
    """As it stands."""
    bank.push_to_hub(f"hf://{REPO}", card="---\nlicense: mit\n---\nMine", hub=owner)
    assert server.state.repos[REPO].files("main")["README.md"] == b"---\nlicense: mit\n---\nMine"


def test_unchanged_files_are_not_sent_again(bank: Bank, server: HubServer, owner: Hub) -> None:
    """A second push makes no commit."""
    first = bank.push_to_hub(REPO, hub=owner)
    server.state.forget()
    assert bank.push_to_hub(REPO, hub=owner) == first
    assert paths(server, "PUT") == []
    assert len(server.state.repos[REPO].commits) == 2


def test_large_files_go_in_parts(bank: Bank, server: HubServer, owner: Hub) -> None:
    """And come back whole."""
    server.state.part_size = 4096
    source = bank.push_to_hub(REPO, hub=owner)
    assert sum("/2" in path for path in paths(server, "PUT")) > 0
    Bank.open(source, hub=owner).load("normal")


def test_a_revision_is_a_branch_of_its_own(bank: Bank, server: HubServer, owner: Hub) -> None:
    """The main branch stays as it was."""
    bank.push_to_hub(REPO, revision="v1", hub=owner)
    assert INDEX_NAME not in server.state.repos[REPO].files("main")
    assert Bank.open(f"hf://{REPO}@v1", hub=owner).digest == bank.digest
    bank.push_to_hub(f"{REPO}@v1", hub=owner)


def test_a_private_repository_is_made_private(bank: Bank, server: HubServer, owner: Hub) -> None:
    """Others do not see it."""
    bank.push_to_hub(REPO, private=True, hub=owner)
    with pytest.raises(HubError, match="shows no such repository"):
        Bank.open(f"hf://{REPO}", hub=server.client(Path("unused")))


def test_a_public_repository_does_not_get_a_private_bank(bank: Bank, server: HubServer, owner: Hub) -> None:
    """It is there already, and pushing would not hide it."""
    server.state.add(REPO, {"README.md": b"hello"})
    with pytest.raises(HubError, match=r"is there already and is public: make it private in its settings"):
        bank.push_to_hub(REPO, private=True, hub=owner)
    assert paths(server, "PUT") == []


def test_without_a_token_a_push_says_how_to_log_in(bank: Bank, server: HubServer, tmp_path: Path) -> None:
    """Nothing is sent."""
    with pytest.raises(
        HubAccessError, match=r"does not allow this .*log in with `hf auth login` or set HF_TOKEN"
    ):
        bank.push_to_hub(REPO, hub=server.client(tmp_path))
    assert paths(server, "PUT") == []


def test_another_accounts_repository_is_refused(bank: Bank, server: HubServer, tmp_path: Path) -> None:
    """With the Hub's own words."""
    with pytest.raises(HubAccessError, match="don't have the rights to write under the namespace 'someone'"):
        bank.push_to_hub(REPO, hub=server.client(tmp_path, "hf_other"))


def test_a_damaged_bank_is_not_pushed(bank: Bank, server: HubServer, owner: Hub) -> None:
    """Neither a weight file nor an index that was changed meanwhile."""
    folder = Path(bank.where)
    weights = folder / encoder_path("normal")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    with pytest.raises(ChecksumMismatchError, match="has sha256"):
        bank.push_to_hub(REPO, hub=owner)
    weights.write_bytes(whole)
    (folder / INDEX_NAME).write_text("{}")
    with pytest.raises(ChecksumMismatchError, match="was changed since the bank was opened"):
        bank.push_to_hub(REPO, hub=owner)
    assert server.state.requests == []


def test_a_name_without_owner_is_refused(bank: Bank) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidInputError, match="write hf://owner/name"):
        bank.push_to_hub("pushed")


def test_a_hub_that_does_not_answer_is_named(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is gone."""
    with quiet_client(monkeypatch, tmp_path):
        with hub_server() as gone:
            pass
        with pytest.raises(HubUnreachableError, match=rf"{gone.endpoint} does not answer"):
            bank.push_to_hub(REPO, hub=gone.client(tmp_path, "hf_secret"))
