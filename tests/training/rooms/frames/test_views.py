"""Pictures: the same ones every time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training.rooms.frames.views import Views, cast_views, render_views
from training.rooms.look import LookOptions
from training.rooms.scene import Cameras, Scene, Shape, Surface
from training.rooms.surfaces.textures import Textures
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import Hits

from toy_rooms import Builder, looking_at


def furnished(shape: Shape, surface: Surface = Surface.WOOD) -> Scene:
    """One thing on the floor, all of one material."""
    scene = Builder((4, 4, 3)).add(
        shape, (2, 2.5, 0.4), (0.5, 0.4, 0.4), detail=2.0 if shape == Shape.CUSHION else 0.1
    )
    made = scene.scene()
    kind = np.array([list(Surface).index(surface)], np.int32)
    return replace(made, materials=replace(made.materials, surface=kind, strength=np.ones(1, np.float32)))


CAMERAS = looking_at((2, 2.5, 0.5), (0.4, 0.4, 1.5), (3.6, 0.4, 1.7), (2, 0.3, 2.5))
ROOMS = torch.tensor([0, 1, 0])


def one(cameras: Cameras, number: int) -> Cameras:
    return Cameras(**{name: getattr(cameras, name)[[number]] for name in Cameras.__slots__})


def rendered(size: int = 32, seeds: tuple[int, ...] = (3, 4, 5)) -> Views:
    batch = SceneBatch.of([furnished(Shape.CYLINDER), furnished(Shape.CUSHION)])
    return render_views(batch, ROOMS, CAMERAS, size, seeds)


def test_pictures_and_maps_have_their_shapes() -> None:
    """And are what casting alone finds."""
    views = rendered()
    assert views.rgb.shape == (3, 32, 32, 3)
    assert views.rgb.dtype == torch.uint8
    batch = SceneBatch.of([furnished(Shape.CYLINDER), furnished(Shape.CUSHION)])
    cast = cast_views(batch, ROOMS, CAMERAS, 32)
    for name in Hits.__slots__:
        assert torch.equal(getattr(views.hits, name), getattr(cast, name))
    assert views.scene.tolist() == [0, 1, 0]


def test_a_frame_is_the_same_in_any_batch_and_any_run() -> None:
    """Alone, with its room in another place, twice."""
    together, again = rendered(), rendered()
    assert torch.equal(together.rgb, again.rgb)
    for frame, shape in enumerate((Shape.CYLINDER, Shape.CUSHION, Shape.CYLINDER)):
        alone = render_views(
            SceneBatch.of([furnished(shape)]), torch.tensor([0]), one(CAMERAS, frame), 32, [3 + frame]
        )
        assert torch.equal(alone.rgb[0], together.rgb[frame])
        for name in Hits.__slots__:
            assert torch.equal(getattr(alone.hits, name)[0], getattr(together.hits, name)[frame])


def test_the_seed_changes_the_picture_and_no_label() -> None:
    """Light, lens and noise are drawn from it."""
    first, second = rendered(), rendered(seeds=(13, 14, 15))
    assert (first.rgb.float() - second.rgb.float()).abs().mean() > 3
    assert torch.equal(first.hits.distance, second.hits.distance)


def test_global_generators_are_neither_used_nor_moved() -> None:
    """Whatever they were seeded with."""
    torch.manual_seed(1)
    before, state = rendered(), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(before.rgb, rendered().rgb)
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_sizes_that_tiles_do_not_divide_are_rendered_too() -> None:
    """20 px are five tiles of 4."""
    assert rendered(size=20).rgb.float().std() > 5


def test_photographs_cover_their_surfaces(tmp_path: Path) -> None:
    """Plaster does where none are given."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[..., 1] = 200
    Image.fromarray(pixels).save(tmp_path / "green.png")
    batch = SceneBatch.of([furnished(Shape.BOX, Surface.PHOTO)])
    options = LookOptions(temperature=(0, 0), tint=(0, 0), saturation=(1, 1))
    textures = Textures.load(tmp_path, side=16)
    with_images, without = (
        render_views(batch, torch.tensor([0]), one(CAMERAS, 0), 32, [0], options=options, textures=given)
        .rgb.float()
        .mean((0, 1, 2))
        for given in (textures, None)
    )
    assert with_images[1] > 3 * with_images[0]
    assert without[1] < 1.3 * without[0]


def test_every_picture_needs_a_room_a_camera_and_a_seed() -> None:
    """The message counts them."""
    batch = SceneBatch.of([furnished(Shape.BOX)])
    with pytest.raises(ValueError, match="got 1 rooms, 3 cameras and 2 seeds"):
        render_views(batch, torch.tensor([0]), CAMERAS, 32, [1, 2])


@pytest.mark.gpu
def test_a_gpu_renders_the_same_picture_up_to_rounding() -> None:
    """But for single pixels at edges."""
    scenes = [furnished(Shape.CYLINDER), furnished(Shape.CUSHION)]
    ours = render_views(SceneBatch.of(scenes), ROOMS, CAMERAS, 64, [3, 4, 5])
    theirs = render_views(SceneBatch.of(scenes, "cuda"), ROOMS.cuda(), CAMERAS, 64, [3, 4, 5])
    difference = (ours.rgb.float() - theirs.rgb.cpu().float()).abs()
    assert (difference > 8).float().mean() < 0.01
    assert difference.mean() < 1
    assert (ours.hits.primitive != theirs.hits.primitive.cpu()).float().mean() < 1e-3
