"""From light to photographs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from training.rooms.cameras.lens import blurred, photograph
from training.rooms.look import LookOptions, Looks

NEUTRAL = LookOptions(
    exposure=(0.4, 0.4), temperature=(0, 0), tint=(0, 0), contrast=(1, 1), saturation=(1, 1), vignette=(0, 0),
    blur=(0, 0), soft_chance=0, fringe=(0, 0), grain=(0, 0), read_noise=(0, 0), sharpen_chance=0, jpeg_chance=0,
)  # fmt: skip


def neutral(frames: int = 1, **changes: float) -> Looks:
    """Looks of pictures that nothing happens to, but for changes."""
    looks = replace(Looks.draw(range(frames), NEUTRAL), curve=torch.zeros(frames, dtype=torch.int64))
    looks = replace(looks, grain=torch.zeros(frames), read_noise=torch.zeros(frames))
    return replace(looks, **{name: torch.full((frames,), value) for name, value in changes.items()})


def light(frames: int = 1, side: int = 64, seed: int = 0) -> Tensor:
    """Bright and dark patches."""
    generator = torch.Generator().manual_seed(seed)
    patches = torch.rand((frames, side // 8, side // 8, 3), generator=generator) ** 3
    return patches.repeat_interleave(8, 1).repeat_interleave(8, 2)


def linear(picture: Tensor) -> Tensor:
    """Light out of sRGB codes."""
    coded = picture.double() / 255
    return torch.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


FAR = torch.ones((1, 64, 64))


def test_without_effects_a_photograph_is_the_exposed_light() -> None:
    """The pixel brighter than 70 % of all becomes 0.4, and everything else goes with it."""
    seen = light()
    luminance = seen @ torch.tensor([0.2126, 0.7152, 0.0722])
    gain = 0.4 / float(luminance.flatten().sort().values[int(0.7 * 4096) - 1])
    picture = linear(photograph(seen, FAR, neutral()))
    assert torch.allclose(picture, (seen * gain).clamp(0, 1).double(), atol=0.006)


@pytest.mark.parametrize("seed", range(12))
def test_all_effects_together_leave_a_picture(seed: int) -> None:
    """Of 8 bits, neither black nor white nor even."""
    looks = Looks.draw([seed], LookOptions(soft_chance=1, sharpen_chance=1, jpeg_chance=1))
    distance = torch.linspace(1, 6, 64).expand(1, 64, 64)
    picture = photograph(light(seed=seed), distance, looks)
    assert picture.dtype == torch.uint8
    assert picture.shape == (1, 64, 64, 3)
    assert 20 < picture.float().mean() < 235
    assert picture.float().std() > 10


def test_neighbours_in_the_batch_change_no_bit() -> None:
    """Looks come from each frame's own seed."""
    options = LookOptions(soft_chance=0.5)
    together = Looks.draw([3, 4, 5, 6], options)
    seen, distance = light(4), torch.linspace(1, 6, 64).expand(4, 64, 64)
    whole = photograph(seen, distance, together)
    for frame in range(4):
        alone = Looks.draw([3 + frame], options)
        part = slice(frame, frame + 1)
        assert torch.equal(photograph(seen[part], distance[part], alone), whole[part])


def test_blur_is_that_of_a_gauss_curve() -> None:
    """Against SciPy, border and all."""
    expected = gaussian_filter(light()[0].numpy(), (1.2, 1.2, 0), mode="nearest", truncate=4 / 1.2)
    assert np.allclose(blurred(light(), torch.tensor([1.2]))[0].numpy(), expected, atol=2e-3)


def test_corners_are_darker_by_the_vignette() -> None:
    """By its share, and the middle not at all."""
    picture = linear(photograph(torch.ones(1, 64, 64, 3), FAR, neutral(vignette=0.5)))
    assert float(picture[0, 32, 32, 0]) == pytest.approx(0.4, abs=0.005)
    assert float(picture[0, 0, 0, 0]) == pytest.approx(0.2, abs=0.01)


def test_temperature_moves_red_against_blue() -> None:
    """One stop between them."""
    picture = linear(photograph(torch.ones(1, 64, 64, 3), FAR, neutral(temperature=1.0)))[0, 0, 0]
    assert float(picture[0] / picture[2]) == pytest.approx(2, rel=0.03)


def test_noise_has_the_deviation_asked_for_and_grows_with_light() -> None:
    """Dark noise everywhere; grain with the root of the light."""
    flat = torch.ones(1, 64, 64, 3)
    dark = linear(photograph(flat, FAR, neutral(read_noise=0.02)))
    assert float(dark.std()) == pytest.approx(0.02, rel=0.08)
    grain = linear(photograph(flat, FAR, neutral(grain=0.05)))
    assert float(grain.std()) == pytest.approx(0.05 * 0.4**0.5, rel=0.08)


def test_a_fringe_moves_red_outwards_and_green_not() -> None:
    """A bright spot in the corner."""
    seen = torch.full((1, 64, 64, 3), 0.02)
    seen[0, 4, 4] = 1.0
    plain, fringed = (
        linear(photograph(seen, FAR, neutral(fringe=value, exposure=0.01))) for value in (0.0, 8.0)
    )
    assert torch.equal(plain[..., 1], fringed[..., 1])
    assert fringed[0, 4, 4, 0] < 0.6 * plain[0, 4, 4, 0]


def test_what_is_out_of_focus_is_blurred_more() -> None:
    """The left half is near and sharp, the right half far."""
    distance = torch.where(torch.arange(64) < 32, 1.0, 6.0).expand(1, 64, 64)
    looks = neutral(defocus=3.0, focus=0.0)
    picture = photograph(light(), distance, looks).float().diff(dim=2).abs()[0]
    sharp = photograph(light(), distance, neutral()).float().diff(dim=2).abs()[0]
    assert picture[:, 4:28].max() > 0.95 * sharp[:, 4:28].max()
    assert picture[:, 36:60].max() < 0.7 * sharp[:, 36:60].max()


def test_a_shaken_camera_smears_along_its_motion() -> None:
    """A bright line across it is spread, one along it is not."""
    looks = replace(neutral(), motion=torch.tensor([[16.0, 0.0]]))
    across, along = torch.full((2, 1, 64, 64, 3), 0.01)
    across[:, :, 32], along[:, 32] = 1.0, 1.0
    spread = photograph(across, FAR, replace(looks, exposure=torch.tensor([0.01])))
    kept = photograph(along, FAR, replace(looks, exposure=torch.tensor([0.01])))
    assert spread[0, 32, 32, 0] < 0.8 * kept[0, 32, 32, 0]


def test_ranges_and_chances_that_are_none_are_refused() -> None:
    """By their names."""
    with pytest.raises(ValueError, match=r"blur must be \(least, greatest\), got \(2, 1\)"):
        LookOptions(blur=(2, 1))
    with pytest.raises(ValueError, match="jpeg_chance must be a chance from 0 to 1, got 2"):
        LookOptions(jpeg_chance=2)
