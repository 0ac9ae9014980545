"""Upload of banks to Hub repositories, in one commit."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from taskbank.bank.card import model_card
from taskbank.bank.hub import HUB_PREFIX, Hub, HubSource, library, parse_hub_source
from taskbank.bank.hub_errors import Attempt, translated
from taskbank.bank.index import INDEX_NAME
from taskbank.errors import ChecksumMismatchError, HubError

if TYPE_CHECKING:
    from taskbank.bank.source import BankListing

CARD_NAME = "README.md"
_MAIN = "main"


def push_bank(
    bank: BankListing,
    repo: str,
    *,
    private: bool = False,
    revision: str | None = None,
    card: str | None = None,
    hub: Hub | None = None,
) -> str:
    """Upload a bank to a repository, which is created if it does not exist.

    Every file is checked first, and one commit holds all files, so that no reader sees an incomplete bank.
    Files that are already there unchanged are not uploaded again; files that the bank does not name stay.

    Args:
        bank: what to push.
        repo: `owner/name`.
        private: whether the repository is private; an existing public repository is then rejected.
        revision: branch, created from the main branch if it does not exist; None for the main branch.
        card: text of the model card, by default written from the index; it replaces an existing card.
        hub: access to the Hub.

    Returns:
        the source that opens exactly this commit, `hf://owner/name@commit`.

    Raises:
        InvalidInputError: `repo` is no `owner/name`.
        BankFormatError: a file of the bank is missing.
        ChecksumMismatchError: a file of the bank is damaged.
        HubError: the Hub cannot be reached, or does not allow the upload.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    hub = hub or Hub()
    target = parse_hub_source(HUB_PREFIX + repo.removeprefix(HUB_PREFIX))
    branch = revision or target.revision or _MAIN
    text = card or model_card(bank.index, bank.digest, f"{HUB_PREFIX}{target.repo}")
    index = bank.files.fetch(INDEX_NAME)
    content = index.read_bytes()
    if hashlib.sha256(content).hexdigest() != bank.digest:
        raise ChecksumMismatchError(f"{index} was changed since the bank was opened: open it again")
    additions = [CommitOperationAdd(INDEX_NAME, content), CommitOperationAdd(CARD_NAME, text.encode())]
    for file in bank.index.files:
        bank.files.read(file)  # checks its sha256
        additions.append(CommitOperationAdd(file.path, bank.files.fetch(file.path)))
    api = HfApi(endpoint=hub.endpoint, token=hub.token, **library())
    with translated(Attempt(source=f"{HUB_PREFIX}{target.repo}", endpoint=hub.endpoint)):
        # None leaves the choice to the owner's default.
        api.create_repo(target.repo, private=private or None, exist_ok=True)
        public = not api.model_info(target.repo).private
        if branch != _MAIN and not (private and public):
            api.create_branch(target.repo, branch=branch, exist_ok=True)
    if private and public:
        raise HubError(
            f"{HUB_PREFIX}{target.repo} is there already and is public: make it private in its settings, or "
            "push without `private`"
        )
    with translated(Attempt(source=f"{HUB_PREFIX}{target.repo}", endpoint=hub.endpoint)):
        commit = api.create_commit(
            target.repo,
            operations=additions,
            commit_message=f"Push the bank {bank.index.name} ({bank.digest[:12]})",
            revision=branch,
        )
    return str(HubSource(target.repo, commit.oid))
