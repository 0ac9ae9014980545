"""The Transfers tab as programs and browsers meet it: a server, asked through gradio's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from tests.taskbank.clips import corner_frames, read_clip, write_clip

import taskbank
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from toy_transfers import toy_transfer_bank

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo of the toy bank."""
    bank = toy_transfer_bank(tmp_path_factory.mktemp("toy") / "bank")
    settings = DemoSettings(bank=bank.where, device="cpu", port=0, video_seconds=2, upload_bytes=2**20)
    with launch(settings) as server:
        yield server


@pytest.fixture(scope="module")
def client(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A program that asks it."""
    folder = tmp_path_factory.mktemp("client")
    asking = Client(running.url, verbose=False, analytics_enabled=False, download_files=folder)
    yield asking
    asking.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph."""
    path = tmp_path / "photo.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A short video."""
    return write_clip(tmp_path / "clip.mp4", corner_frames(6))


def transfer(client: Client, path: Path | None, target: str, sources: Any) -> Any:
    """Ask for a transfer on a photograph."""
    return client.predict(
        photograph=path and handle_file(str(path)), target=target, sources=sources, api_name="/transfer"
    )


def transfer_video(client: Client, path: Path, target: str, sources: list[str]) -> Any:
    """Ask for a transfer on a video."""
    return client.predict(
        video=handle_file(str(path)), target=target, sources=sources, api_name="/transfer_video"
    )


def uploads(running: Running) -> set[Path]:
    """Files that clients have sent and that are still there."""
    return {path for path in running.services.folder.rglob("*") if path.name in {"photo.png", "clip.mp4"}}


def test_programs_are_told_what_there_is(client: Client) -> None:
    """Targets with their sets of sources, and the tensor whose numbers are given."""
    found = client.predict(api_name="/transfers")
    assert found == {
        "bank": "toy",
        "tensor": "taskonomy-16k",
        "transfers": {
            "depth_zbuffer": [["normal"]],
            "normal": [["edge_texture"], ["reshading"], ["reshading", "edge_texture"]],
        },
    }


def test_endpoints_keep_their_names_and_nothing_else_is_public(client: Client) -> None:
    """Programs rely on them."""
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    mine = {name: [each["parameter_name"] for each in info["parameters"]] for name, info in named.items()}
    assert mine["/transfer"] == ["photograph", "target", "sources"]
    assert mine["/transfer_video"] == ["video", "target", "sources"]
    assert mine["/transfers"] == []
    assert not [name for name in named if "on_" in name or "start" in name]


def test_a_program_gets_the_values_of_the_library(client: Client, running: Running, photo: Path) -> None:
    """Facts, picture, array and all pictures together, by any names; the upload is gone afterwards."""
    facts, files = transfer(client, photo, "surface normals", ["edges_2d", "reshade"])
    bank = running.services.need_networks().bank
    expected = taskbank.load_transfer(["reshading", "edge_texture"], "normal", bank=bank, device="cpu")
    names = [Path(file).name for file in files]
    assert names == ["normal.png", "normal.npy", "normal.json", "comparison.png"]
    np.testing.assert_array_equal(np.load(files[1]), expected.predict(PIXELS).array)
    assert facts["transfer"] == "reshading+edge_texture -> normal"
    assert facts["measured"]["tensor"] == "taskonomy-16k"
    assert facts["prediction"] == json.loads(Path(files[2]).read_text())
    assert uploads(running) == set()


def test_sources_may_be_one_string(client: Client, photo: Path) -> None:
    """As on the command line."""
    facts, _ = transfer(client, photo, "normal", "edge_texture, reshading")
    assert facts["transfer"] == "reshading+edge_texture -> normal"


def test_a_program_gets_a_video(client: Client, running: Running, clip: Path) -> None:
    """With as many frames, and what is missing in it."""
    facts, film = transfer_video(client, clip, "depth_zbuffer", ["normal"])
    assert (facts["frames"], facts["every"], facts["complete"]) == (6, 1, True)
    assert set(facts["missing"]) == {"full_supervision", "scratch", "random"}
    assert len(read_clip(Path(film))[0]) == 6
    assert uploads(running) == set()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("normal", ["jigsaw"]), "no transfer of single images 'jigsaw -&gt; normal'"),
        (("nromal", ["reshading"]), "did you mean normal"),
        (("normal", []), "no source was named"),
        (("normal", [1]), "must be a list of names"),
        (("normal", {"a": "b"}), "must be a list of names"),
        (("../../etc/passwd", ["normal"]), "unknown task"),
    ],
)
def test_what_is_not_there_is_said(
    client: Client, running: Running, photo: Path, asked: tuple[str, Any], message: str
) -> None:
    """In words that help; the upload is gone all the same."""
    with pytest.raises(AppError) as caught:
        transfer(client, photo, *asked)
    assert message in str(caught.value).replace("&#x27;", "'")
    assert uploads(running) == set()


def test_a_request_without_a_file_is_refused(client: Client) -> None:
    """And not one of the server's own files."""
    with pytest.raises(AppError, match="No file was chosen"):
        transfer(client, None, "normal", ["reshading"])
    with pytest.raises(AppError):
        client.predict(
            photograph={"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
            target="normal",
            sources=["reshading"],
            api_name="/transfer",
        )


def hostile(folder: Path, kind: str) -> Path:
    """A file that is not a video that may be put in."""
    path = folder / "clip.mp4"
    if kind == "long":
        return write_clip(path, corner_frames(60))
    if kind == "picture":
        Image.fromarray(PIXELS).save(path, format="PNG")
    else:
        path.write_bytes({"words": b"hello " * 99, "empty": b""}[kind])
    return path


@pytest.mark.parametrize("kind", ["long", "picture", "words", "empty"])
def test_hostile_videos_are_refused(client: Client, running: Running, tmp_path: Path, kind: str) -> None:
    """With a message, without a place on the server, and nothing stays."""
    with pytest.raises(AppError, match=r"clip\.mp4") as caught:
        transfer_video(client, hostile(tmp_path, kind), "normal", ["reshading"])
    assert str(running.services.folder) not in str(caught.value)
    assert uploads(running) == set()


def test_a_file_that_is_too_large_is_refused_at_the_door(client: Client, tmp_path: Path) -> None:
    """Before it is stored."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(2**20 + 1))
    with pytest.raises(Exception, match="(?i)413|too large|exceeds|allowed|maximum"):
        transfer_video(client, path, "normal", ["reshading"])


def test_the_server_still_answers(client: Client, photo: Path) -> None:
    """After all that."""
    facts, _ = transfer(client, photo, "normal", ["reshading"])
    assert facts["transfer"] == "reshading -> normal"


def test_a_demo_without_transfers_has_the_tab_and_says_what_to_do(tmp_path: Path, photo: Path) -> None:
    """Without a bank, and its endpoints too."""
    with launch(DemoSettings(bank=str(tmp_path / "nowhere"), port=0)) as running:
        assert "No transfers to compare" in str(running.page.get_config_file()["components"])
        asking = Client(running.url, verbose=False, analytics_enabled=False)
        with pytest.raises(AppError, match="nowhere"):
            transfer(asking, photo, "normal", ["reshading"])
        asking.close()
