"""Names of third-party encoders: `timm:MODEL@LAYER?size=PX`, `hf:OWNER/NAME`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from taskbank.bank.hub import HUB_PREFIX
from taskbank.encoders.hub_models import open_hub
from taskbank.encoders.source import Source
from taskbank.encoders.timm_models import open_timm
from taskbank.errors import InvalidInputError

_FOREIGN = re.compile(r"(?P<library>timm|hf):(?P<model>[^@?]+)(?:@(?P<layer>[^?]*))?(?:\?(?P<options>.*))?")
_OPTIONS = {"timm": ("weights", "size"), "hf": ("revision", "size")}


def names_encoder(name: str) -> bool:
    """Return True if a name means a model of timm or of the Hub, not a bank."""
    return bool(_FOREIGN.fullmatch(name)) and not name.startswith(HUB_PREFIX)


def open_encoder(name: str, *, size: int | None = None, seed: int = 0) -> Source:
    """Open a model of timm or of the Hub as a source.

    Args:
        name: `timm:MODEL[@LAYER][?weights=FILE|random&size=PX]` or
            `hf:OWNER/NAME[@LAYER][?revision=..&size=PX]`.
        size: side in px of the square if the name states none, rounded to whole patches; None for the size
            that the model was trained on.
        seed: of random weights.

    Raises:
        InvalidInputError: the name has another form, the layer or size is not a whole number, or an option is
            unknown.
        TaskBankError: as `open_timm` and `open_hub`.
    """
    found = _FOREIGN.fullmatch(name)
    if found is None:
        raise InvalidInputError(f"{name!r} is not the name of an encoder: write timm:MODEL or hf:OWNER/NAME")
    known = _OPTIONS[found["library"]]
    given = dict(parse_qsl(found["options"] or "", keep_blank_values=True))
    if (unknown := sorted(given.keys() - set(known))) or (found["options"] and not given):
        said = ", ".join(unknown) or found["options"]
        raise InvalidInputError(f"{name}: unknown option {said!r}: known are {' and '.join(known)}")
    layer = _whole(name, "layer", found["layer"])
    own = _whole(name, "size", given.get("size"))
    model = found["model"]

    def open_at(side: int | None) -> Source:
        if found["library"] == "timm":
            return open_timm(model, layer=layer, weights=given.get("weights"), size=side, seed=seed)
        return open_hub(model, layer=layer, revision=given.get("revision"), size=side)

    if own is not None or size is None:
        return open_at(own)
    # The patch size is known only once the model is open; the model is opened again if the size differs.
    usual = open_at(None)
    side = max(round(size / usual.patch), 1) * usual.patch
    return usual if side == usual.size else open_at(side)


def _whole(name: str, what: str, text: str | None) -> int | None:
    """Parse a whole number in a name; None if it is absent.

    Raises:
        InvalidInputError: the text is not a whole number.
    """
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInputError(f"{name}: {what} {text!r} is not a whole number") from error
