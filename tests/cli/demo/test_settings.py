"""The demo's settings: what is allowed, and what the page is open to."""

from __future__ import annotations

from typing import Any

import pytest

from taskbank.errors import TaskBankError
from taskbank_demo.deadline import Deadline
from taskbank_demo.errors import SettingError, SlowRequestError
from taskbank_demo.settings import DemoSettings, parse_auth


def test_by_default_only_this_machine_gets_in() -> None:
    """Nothing has to be set for that."""
    assert DemoSettings().host == "127.0.0.1"
    assert not DemoSettings().is_public


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("localhost", False),
        ("::1", False),
        ("[::1]", False),
        ("0.0.0.0", True),
        ("192.168.1.7", True),
        ("::", True),
        ("demo.example.org", True),
        ("localhost.example.org", True),
    ],
)
def test_a_page_is_public_where_other_machines_reach_it(host: str, public: bool) -> None:
    """Addresses are told from names that look like them."""
    assert DemoSettings(host=host).is_public is public


@pytest.mark.parametrize(
    "name",
    [
        "upload_bytes",
        "folder_bytes",
        "image_pixels",
        "image_side",
        "video_seconds",
        "video_frames",
        "video_pixels",
        "queue_size",
        "concurrency",
        "request_seconds",
        "keep_seconds",
    ],
)
def test_a_limit_that_lets_nothing_through_is_refused(name: str) -> None:
    """Zero and below."""
    make: Any = DemoSettings
    for value in (0, -1):
        with pytest.raises(SettingError, match=f"{name} {value} must be above 0"):
            make(**{name: value})


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_there_is_not_is_refused(port: int) -> None:
    """Zero is any free one."""
    with pytest.raises(SettingError, match=f"port {port} must be 0"):
        DemoSettings(port=port)
    assert DemoSettings(port=0).port == 0


def test_user_and_password_stand_around_the_first_colon() -> None:
    """A password may have colons itself; nothing asks for nobody."""
    assert parse_auth("ann:a:b") == ("ann", "a:b")
    assert parse_auth(None) is None
    assert parse_auth("") is None


def test_a_password_is_not_repeated_in_messages() -> None:
    """Without a colon, the words may well be one."""
    with pytest.raises(SettingError, match="colon between") as caught:
        parse_auth("secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("auth", [("", "b"), ("a", "")])
def test_an_empty_user_or_password_is_refused(auth: tuple[str, str]) -> None:
    """gradio would let everybody in with a warning."""
    with pytest.raises(SettingError, match="neither empty"):
        DemoSettings(auth=auth)


def test_errors_of_the_demo_are_known_to_the_command() -> None:
    """So it prints them in one line."""
    assert issubclass(SettingError, TaskBankError)


def test_a_deadline_stops_what_takes_too_long() -> None:
    """The message says what to do."""
    fresh = Deadline(60)
    fresh.check()
    assert 0 < fresh.left <= 60
    over = Deadline(-1)
    assert over.left == 0
    with pytest.raises(SlowRequestError, match="smaller input, or the command line"):
        over.check()
