"""Panoramas: which pixel is seen in which direction, what windows show, how npm's files are converted."""

from __future__ import annotations

import base64
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from training.errors import DataError
from training.rooms.frames.config import RoomsConfig, folder_digest
from training.rooms.frames.views import render_views
from training.rooms.furnishing.build import RoomOptions, build_scene
from training.rooms.look import LookOptions
from training.rooms.scene import LightKind, Shape, Surface
from training.rooms.surfaces import environments
from training.rooms.surfaces.environments import Environments, exr_of_module, shown
from training.rooms.tracing.batch import SceneBatch

from toy_rooms import Builder, looking_at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One panorama: blue sky, green ground, and a red stripe at the horizon where +y is."""
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:32, :, 2] = 200
    pixels[32:, :, 1] = 200
    pixels[28:36, 28:36] = (250, 0, 0)
    place = tmp_path / "panoramas"
    place.mkdir()
    Image.fromarray(pixels).save(place / "one.png")
    return place


def seen(loaded: Environments, *directions: tuple[float, float, float], turn: float = 0.0) -> list[str]:
    """Names of the strongest colours in some directions."""
    ways = torch.nn.functional.normalize(torch.tensor(directions, dtype=torch.float32), dim=-1)
    count = len(directions)
    colours = loaded.colours(ways, torch.full((count,), 7), torch.full((count,), turn))
    return ["rgb"[row] for row in colours.argmax(1).tolist()]


def test_directions_find_their_pixels(folder: Path) -> None:
    loaded = Environments.load(folder, side=64)
    assert seen(loaded, (0, 1, 0), (1, 0, 0.3), (1, 0, -0.3), (0, -1, 0.3), (0, 0, 1), (0, 0, -1)) == list(
        "rbgbbg"
    )


def test_a_turn_moves_the_panorama_about_the_vertical(folder: Path) -> None:
    loaded = Environments.load(folder, side=64)
    assert seen(loaded, (1, 0, 0), turn=np.pi / 2) == ["r"]
    assert seen(loaded, (0, 1, 0.3), (0, 1, -0.3), turn=np.pi / 2) == ["b", "g"]


def test_the_picture_goes_on_across_its_border(folder: Path) -> None:
    loaded = Environments.load(folder, side=64)
    ways = torch.tensor([[1.0, 1e-4, 0.2], [1.0, -1e-4, 0.2]])
    near = loaded.colours(torch.nn.functional.normalize(ways, dim=-1), torch.zeros(2), torch.zeros(2))
    torch.testing.assert_close(near[0], near[1], atol=1e-3, rtol=0)


def test_light_has_half_the_colour_of_the_sky(folder: Path) -> None:
    ((red, green, blue),) = Environments.load(folder, side=64).tints
    assert red + green + blue == pytest.approx(3)
    assert blue > 1.5
    assert 0.5 <= red < 0.6


@pytest.mark.parametrize(("size", "problem"), [((64, 64), "64 x 64 px"), (None, "not an image")])
def test_what_is_no_panorama_is_refused(tmp_path: Path, size: tuple[int, int] | None, problem: str) -> None:
    if size:
        Image.new("RGB", size).save(tmp_path / "a.png")
    else:
        (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(DataError, match=problem):
        Environments.load(tmp_path)


def test_a_folder_without_panoramas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no panorama in .*: expected images ending in .jpeg, .jpg"):
        Environments.load(tmp_path)


def test_pictures_show_the_panorama_behind_a_pane(folder: Path) -> None:
    made = Builder((4, 4, 3)).add(Shape.BOX, (2, 2.5, 0.4), (0.5, 0.4, 0.4)).scene()
    surface = np.array([list(Surface).index(Surface.VIEW)], np.int32)
    batch = SceneBatch.of([replace(made, materials=replace(made.materials, surface=surface))])
    camera = looking_at((2, 2.5, 0.5), (0.4, 0.4, 1.5))
    options = LookOptions(temperature=(0, 0), tint=(0, 0), saturation=(1, 1))
    loaded = Environments.load(folder)
    with_view, without = (
        render_views(batch, torch.tensor([0]), camera, 32, [0], options=options, environments=given)
        .rgb.float()
        .mean((0, 1, 2))
        for given in (loaded, None)
    )
    assert with_view[1:].max() > 1.5 * with_view[0]
    assert without.max() < 1.3 * without.min()


def test_windows_show_panoramas_by_day_alone() -> None:
    view = list(Surface).index(Surface.VIEW)
    tints = ((1.0, 1.0, 1.0), (1.4, 0.9, 0.7))
    days = [build_scene(seed, RoomOptions(views=tints, night_share=0.0)) for seed in range(4)]
    panes = [scene.materials.seed[scene.materials.surface == view].tolist() for scene in days]
    lit = [bool((scene.lights.kind == LightKind.WINDOW).any()) for scene in days]
    assert any(lit)
    assert [len(numbers) == 1 for numbers in panes] == lit
    assert {number for numbers in panes for number in numbers} <= {0, 1}
    night = build_scene(0, RoomOptions(views=tints, night_share=1.0))
    assert not (night.materials.surface == view).any()


def test_the_index_tells_the_digest_of_the_panoramas(folder: Path) -> None:
    config = RoomsConfig(environments=str(folder))
    assert config.about("train")["environments"] == folder_digest(folder, "environments")
    with pytest.raises(DataError, match="no environments in .*: give a folder of images, or none at all"):
        RoomsConfig(environments=str(folder / "none")).about("train")


def test_exposure_shows_the_middle_and_clips_lights() -> None:
    light = np.full((4, 8, 3), 50.0, np.float32)
    light[0, 0], light[0, 1] = np.inf, np.nan
    pixels = shown(light)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == [0, 0, 0]
    assert pixels[2, 2, 0] == round(255 * 0.35 ** (1 / 2.2))


def test_files_of_the_package_are_unpacked() -> None:
    text = f"export default 'data:application/exr;base64,{base64.b64encode(b'panorama').decode()}'"
    assert exr_of_module(text) == b"panorama"
    for broken in ("export default 1", "export default 'data:;base64,%%%'"):
        with pytest.raises(DataError, match="the module holds no file in base64"):
            exr_of_module(broken)


def test_the_command_converts_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a reader of the package's interface that knows one file."""
    light = np.full((4, 8, 3), 0.5, np.float32)

    class File:
        def __init__(self, path: str) -> None:
            assert Path(path).read_bytes() == b"panorama"

        def __enter__(self) -> File:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def channels(self) -> dict[str, SimpleNamespace]:
            return {"RGB": SimpleNamespace(pixels=light)}

    assert environments.main([str(tmp_path), str(tmp_path / "out")]) == 1
    assert "no hdri/*.exr.js in" in capsys.readouterr().err
    (tmp_path / "hdri").mkdir()
    code = base64.b64encode(b"panorama").decode()
    (tmp_path / "hdri" / "lake.exr.js").write_text(f"export default 'data:application/exr;base64,{code}'")
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    assert environments.main([str(tmp_path), str(tmp_path / "out")]) == 1
    assert "pip install OpenEXR" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "OpenEXR", SimpleNamespace(File=File))
    assert environments.main([str(tmp_path), str(tmp_path / "out")]) == 0
    assert len(Environments.load(tmp_path / "out")) == 1
