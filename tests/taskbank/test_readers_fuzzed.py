"""Every reader, given damaged and made-up content for a while: a value or an error of this package, never another."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

from colour_profiles import DISPLAY_P3, rgb_profile
from taskbank.bank.bank import Bank, Untrained
from taskbank.bank.index import index_from_bytes
from taskbank.bank.weights import weights_from_bytes
from taskbank.errors import TaskBankError
from taskbank.images.files import find_images
from taskbank.images.reading import read_photo
from taskbank.labels.files import read_classes, read_label
from taskbank.nets.architecture import Backbone, ResNet50, architecture_from_json, architecture_to_json
from taskbank.original.checkpoints import read_checkpoint
from taskbank.video.files import open_clip, read_frames

SHORT = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
ODD: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**9, -1, 10**400, 1e308, "", [], {}, "../x", "\x1b[2J"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def tried(read: Callable[[], object]) -> None:
    """Errors of this package are allowed, and warnings of decoders."""
    with warnings.catch_warnings(), suppress(TaskBankError):
        warnings.simplefilter("ignore")
        read()


def damaged(content: bytes, draw: Any) -> bytes:
    """The content with bytes changed, cut off or put in."""
    changed = bytearray(content)
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, max(len(changed) - 1, 0)))
        match draw.draw(st.sampled_from(["set", "cut", "insert", "fill"])):
            case "set":
                changed[place : place + 1] = draw.draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del changed[place:]
            case "insert":
                changed[place:place] = draw.draw(st.binary(max_size=8))
            case "fill":
                changed[place : place + 4] = draw.draw(
                    st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
                )
    return bytes(changed)


def encoded(form: str) -> bytes:
    """A small picture with metadata."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    known = {"exif": exif, "icc_profile": rgb_profile(DISPLAY_P3)} if form in ("PNG", "JPEG", "WEBP") else {}
    image.save(file, form, **known)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder() -> Any:
    """A folder that all examples share."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM"])
@given(draw=st.data())
@SHORT
def test_images(folder: Path, form: str, draw: Any) -> None:
    """As files."""
    path = folder / f"a.{form.lower()}"
    path.write_bytes(damaged(encoded(form), draw))
    tried(lambda: read_photo(path))


@given(draw=st.data())
@SHORT
def test_labels_and_lists(folder: Path, draw: Any) -> None:
    """Pictures of codes, arrays of classes, lists of files."""
    picture, classes, names = folder / "a.png", folder / "a.npy", folder / "a.txt"
    picture.write_bytes(damaged(encoded("PNG"), draw))
    tried(lambda: read_label(picture, "rgb"))
    tried(lambda: read_label(picture, "depth_zbuffer"))
    file = io.BytesIO()
    np.save(file, np.ones(1000, np.float32))
    classes.write_bytes(damaged(file.getvalue(), draw))
    tried(lambda: read_classes(classes, "class_object"))
    names.write_bytes(damaged(b"a.png\n# b\n*.gif\n../c.txt\n", draw))
    tried(lambda: find_images([names]))


@pytest.fixture(scope="module")
def pickles() -> list[bytes]:
    """Checkpoints of both forms, written once, as the older form contains addresses in memory."""
    files = [io.BytesIO(), io.BytesIO()]
    for file, modern in zip(files, (True, False), strict=True):
        state = {"state_dict": {"weight": torch.ones(3, 4)}}
        torch.save(state, file, _use_new_zipfile_serialization=modern)
    return [file.getvalue() for file in files]


@given(draw=st.data())
@SHORT
def test_checkpoints_and_weights(folder: Path, pickles: list[bytes], draw: Any) -> None:
    """Pickles of torch, of either form, and safetensors."""
    path = folder / "a.pth"
    for content in pickles:
        path.write_bytes(damaged(content, draw))
        tried(lambda: read_checkpoint(path, ""))
    content = save({"weight": torch.ones(3, 4), "levels": torch.ones(3, 4, dtype=torch.int8)})
    tried(lambda: weights_from_bytes(damaged(content, draw), "toy"))


@pytest.fixture(scope="module")
def index(folder: Path) -> dict[str, Any]:
    """Return the content of a `bank.json`."""
    networks: dict[str, Any] = {"normal": toy_network("normal"), "random": Untrained(seed=1)}
    transfers = (toy_readout(("normal",), "reshading"),)
    bank = Bank.save(
        folder / "bank", name="toy", architecture=TOY_COMPACT, networks=networks, transfers=transfers
    )
    written: dict[str, Any] = json.loads((Path(bank.where) / "bank.json").read_text())
    return written


def changed_somewhere(written: Any, draw: Any) -> Any:
    """JSON with something odd in one place."""
    copied = json.loads(json.dumps(written))
    inner = copied
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or not inner[key] or draw.draw(st.integers(0, 3)) == 0:
            inner[key] = draw.draw(ODD)
            return copied
        inner = inner[key]


@given(draw=st.data())
@settings(SHORT, max_examples=300)
def test_indexes_of_banks(index: dict[str, Any], draw: Any) -> None:
    """And the architectures in them; as text with bytes changed, and as JSON with odd values."""
    tried(lambda: index_from_bytes(damaged(json.dumps(index).encode(), draw), "toy"))
    text = json.dumps(changed_somewhere(index, draw))

    def read() -> None:
        found = index_from_bytes(text.encode(errors="surrogatepass"), "toy")
        architecture_from_json(found.architecture)

    tried(read)
    for architecture in (Backbone(), ResNet50()):
        written = json.loads(json.dumps(architecture_to_json(architecture)))
        tried(lambda written=written: architecture_from_json(changed_somewhere(written, draw)))  # type: ignore[misc]  # mypy cannot tell the type of a default of a lambda


@pytest.fixture(scope="module")
def clips(folder: Path) -> list[bytes]:
    """Small files of two kinds."""
    return [write_clip(folder / f"a.{kind}", corner_frames(6)).read_bytes() for kind in ("mp4", "mkv")]


@given(draw=st.data())
@SHORT
def test_videos(folder: Path, clips: list[bytes], draw: Any) -> None:
    """Opened and read to the end. Logs of FFmpeg stay as they are: through Python they can lock its threads."""
    path = folder / "b.mp4"
    path.write_bytes(damaged(draw.draw(st.sampled_from(clips)), draw))

    def read() -> None:
        for frame in read_frames(open_clip(path)):
            assert frame.pixels.ndim == 3

    tried(read)
