"""Settings and limits of the demo, as one checked object."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from taskbank_demo.errors import SettingError

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Address, device and limits of the demo.

    Attributes:
        bank: as for `taskbank.bank.bank.Bank.open`; None is the default bank.
        accept_licence: ids of third-party models whose licence was accepted.
        device: device of the networks: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        host: address to listen on; any other than the loopback lets other machines in.
        port: port to listen on; 0 for any free one.
        hosts: further host names that requests may use, besides addresses, `localhost` and this machine's
            name.
        auth: user and password of the required login; None requires no login.
        upload_bytes: most bytes of one uploaded file.
        folder_bytes: most bytes of all temporary files; beyond it, uploads are rejected until some are
            deleted.
        image_pixels: largest width times height of an uploaded image.
        image_side: longest side in px to which uploaded images are reduced before networks see them.
        video_seconds: largest length of an uploaded video.
        video_frames: most frames of an uploaded video.
        video_pixels: largest width times height of an uploaded video.
        queue_size: most waiting requests; further ones are rejected.
        concurrency: most requests of one kind that run at once.
        request_seconds: time limit; a request beyond it is stopped at its next step.
        keep_seconds: age at which temporary files are deleted, also of open sessions.
    """

    bank: str | None = None
    accept_licence: tuple[str, ...] = ()
    device: str = "auto"
    host: str = LOOPBACK
    port: int = 7860
    hosts: tuple[str, ...] = ()
    auth: tuple[str, str] | None = None
    upload_bytes: int = 32 * 2**20
    folder_bytes: int = 2 * 2**30
    image_pixels: int = 40_000_000
    image_side: int = 1024
    video_seconds: float = 20.0
    video_frames: int = 600
    video_pixels: int = 1920 * 1088
    queue_size: int = 64
    concurrency: int = 2
    request_seconds: float = 120.0
    keep_seconds: float = 900.0

    @property
    def is_public(self) -> bool:
        """True if other machines may reach the page."""
        name = self.host.strip("[]")
        return name != "localhost" and not (_is_address(name) and ip_address(name).is_loopback)

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.port <= _HIGHEST_PORT:
            raise SettingError(f"port {self.port} must be 0 (any free one) to {_HIGHEST_PORT}")
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if name != "port" and isinstance(value, int | float) and value <= 0:
                raise SettingError(f"{name} {value} must be above 0")
        if self.auth is not None and not all(self.auth):
            raise SettingError("auth needs a user and a password, neither empty: --auth USER:PASSWORD")


def parse_auth(words: str | None) -> tuple[str, str] | None:
    """Parse user and password from `USER:PASSWORD`; None or an empty text requires no login.

    Raises:
        SettingError: there is no colon; the message does not repeat the text, as it may be a password.
    """
    if not words:
        return None
    user, colon, password = words.partition(":")
    if not colon:
        raise SettingError("auth needs a user and a password with a colon between: --auth USER:PASSWORD")
    return user, password


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
