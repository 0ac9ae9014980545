"""The page with a catalogue of other people's models in place of a bank of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from tests.cli.browser.conftest import started

import taskbank
from taskbank_demo.live.detail import open_detail
from taskbank_demo.live.run import PageState, run_steps
from taskbank_demo.live.store import load_outcome
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from tiny_models import save_depth_anything, write_catalogue


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Depth in metres, and relative depth under no licence, which is not taken by itself."""
    root = tmp_path_factory.mktemp("models")
    row = {
        "name": "metric", "tasks": ["depth"], "loader": "transformers", "class": "DepthAnythingForDepthEstimation",
        "id": "./depth", "licence": "", "depth": "metres", "megabytes": 1,
    }  # fmt: skip
    save_depth_anything(root / "depth", "metric")
    return Path(write_catalogue(root / "mine.toml", row))


def settings(catalogue: Path, *accepted: str) -> DemoSettings:
    """Settings of a page with that catalogue."""
    return DemoSettings(bank=str(catalogue), device="cpu", port=0, accept_licence=accepted)


@pytest.fixture(scope="module")
def services(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """Services of a page whose visitor accepted the licence."""
    return make_services(settings(catalogue, "metric"), tmp_path_factory.mktemp("files"))


def predicted(services: Services) -> tuple[PageState, Path]:
    """The last step of a request of all tasks, and the photograph."""
    photo = services.new_folder() / "photo.png"
    Image.linear_gradient("L").resize((90, 60)).save(photo)
    return list(run_steps(services, [str(photo)], None))[-1], photo


def test_a_photograph_is_answered_by_the_models(services: Services, catalogue: Path) -> None:
    """With the library's values, and the facts of the model in the details."""
    step, _ = predicted(services)
    assert "1 task in" in step.status
    ours = load_outcome(services, step.shot, ["depth_zbuffer"]).prediction("depth_zbuffer")
    theirs = taskbank.predict(
        step.shot.photographs[0], "depth", bank=str(catalogue), device="cpu", accept_licence=("metric",)
    )
    np.testing.assert_array_equal(ours.array, theirs["depth_zbuffer"].array)
    shown = open_detail(services, step.shot.token, "depth_zbuffer")
    assert 'download="depth_zbuffer.npy"' in shown


def test_a_licence_that_was_not_accepted_is_named_on_the_card(catalogue: Path, tmp_path: Path) -> None:
    step, _ = predicted(make_services(settings(catalogue), tmp_path))
    assert 'role="alert"' in step.gallery
    assert "no licence is stated" in step.gallery


def test_the_whole_page_starts_and_its_interface_answers(catalogue: Path, tmp_path: Path) -> None:
    """Transfers say that there are none; the live tab and its API work."""
    photo = tmp_path / "photo.png"
    Image.linear_gradient("L").resize((90, 60)).save(photo)
    with started(settings(catalogue, "metric")) as running:
        client = Client(running.url, verbose=False)
        facts, files = client.predict(handle_file(str(photo)), ["depth_zbuffer"], api_name="/predict")
    model = facts["depth_zbuffer"]["model"]
    assert (facts["depth_zbuffer"]["unit"], model["licence"]) == ("m", "not stated")
    assert model["revision"].startswith("sha256:")
    assert {Path(file).suffix for file in files} >= {".png", ".npy", ".json"}
