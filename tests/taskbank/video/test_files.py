"""Videos in and out: frames, times, rotation, odd sizes, and files that are none."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.taskbank.clips import COLOURS, corner_frames, read_clip, write_clip

from taskbank.errors import MissingPackageError, OutputError, VideoError
from taskbank.video.files import open_clip, read_frames, video_writer

UNEVEN = (0, 40, 140, 180, 1000)  # ms


def colour(pixels: np.ndarray) -> np.ndarray:
    """The colour in the middle of a frame."""
    return np.array(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2], int)


def test_frames_come_in_order_with_their_colours(tmp_path: Path) -> None:
    """All of them, though encoders store them in another order."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(11)))
    assert (clip.frames, clip.width, clip.height, clip.rotation, clip.sound) == (11, 64, 48, 0, False)
    assert clip.rate == 25
    frames = list(read_frames(clip))
    assert [frame.number for frame in frames] == list(range(11))
    for frame in frames:
        assert frame.pixels.shape == (48, 64, 3)
        assert np.abs(colour(frame.pixels) - COLOURS[frame.number % 5]).max() < 12


def test_decoders_never_wait_to_log_to_python(tmp_path: Path) -> None:
    """Closing a file would wait for them for ever; torchvision 0.21 turns it on for all."""
    path = write_clip(tmp_path / "clip.mp4", corner_frames(3))
    av.logging.set_level(av.logging.ERROR)
    open_clip(path)
    assert av.logging.get_level() is None


def test_times_are_kept_where_they_vary(tmp_path: Path) -> None:
    """In units of the file, from the first frame on."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(5), [time + 400 for time in UNEVEN]))
    assert [float(frame.time * clip.time_base) for frame in read_frames(clip)] == [t / 1000 for t in UNEVEN]


@pytest.mark.parametrize(
    ("rotation", "corner"), [(90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1))], ids=["left", "right", "over"]
)
def test_phones_that_were_held_upright_are_understood(
    tmp_path: Path, rotation: int, corner: tuple[int, int]
) -> None:
    """The white corner goes where the file says; sides change places."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(2), rotation=rotation))
    (frame, _) = read_frames(clip)
    assert (clip.width, clip.height) == ((64, 48) if rotation == 180 else (48, 64))
    assert frame.pixels.shape == (clip.height, clip.width, 3)
    assert frame.pixels[corner].min() > 200
    assert np.abs(colour(frame.pixels) - COLOURS[0]).max() < 12


def test_the_matrix_of_a_phone_turns_clockwise(tmp_path: Path) -> None:
    """QuickTime's (0, 1, -1, 0), which phones write into portraits, is what -90 degrees are."""
    content = write_clip(tmp_path / "clip.mp4", corner_frames(1), rotation=-90).read_bytes()
    start = content.index(b"tkhd") + 4 + 40
    matrix = np.frombuffer(content[start : start + 20], ">i4") / 65536
    assert matrix[[0, 1, 3, 4]].tolist() == [0, 1, -1, 0]


def test_some_frames_can_be_picked(tmp_path: Path) -> None:
    """By their numbers."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(10)))
    picked = list(read_frames(clip, {0, 3, 9}))
    assert [frame.number for frame in picked] == [0, 3, 9]
    assert np.abs(colour(picked[1].pixels) - COLOURS[3]).max() < 12


@pytest.mark.parametrize("size", [(64, 48), (65, 47)], ids=["even", "odd"])
def test_pictures_are_written_with_times_and_colours(tmp_path: Path, size: tuple[int, int]) -> None:
    """A side that is odd has its last pixel twice."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(5), UNEVEN))
    with video_writer(tmp_path / "new" / "out.mp4", clip) as write:
        for frame, pixels in zip(read_frames(clip), corner_frames(5, *size), strict=True):
            write(pixels, frame.time)
    frames, times = read_clip(tmp_path / "new" / "out.mp4")
    assert times == pytest.approx([time / 1000 for time in UNEVEN])
    for number, pixels in enumerate(frames):
        assert pixels.shape == (48, 64 + size[0] % 2 * 2, 3)
        assert np.abs(colour(pixels) - COLOURS[number]).max() < 6
        assert pixels[2, 2].min() > 240


def test_colours_are_those_that_players_expect(tmp_path: Path) -> None:
    """The file says which, or players of large videos would guess."""
    import av

    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(1)))
    with video_writer(tmp_path / "out.mp4", clip) as write:
        write(corner_frames(1)[0], 0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, int(frame.colorspace), int(frame.color_range)) == ("yuv420p", 1, 1)


def test_an_interrupted_video_is_absent(tmp_path: Path) -> None:
    """And nothing lies beside it; the old one stays."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(3)))
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")

    def interrupted() -> None:
        with video_writer(out, clip) as write:
            write(corner_frames(1)[0], 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder should be."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(1)))
    with (
        pytest.raises(OutputError, match=r"cannot write .*out.mp4"),
        video_writer(tmp_path / "clip.mp4" / "out.mp4", clip) as write,
    ):
        write(corner_frames(1)[0], 0)


def test_sound_is_noticed(tmp_path: Path) -> None:
    """So that its absence from results can be stated."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(3), sound=True))
    assert clip.sound
    assert clip.frames == 3


def test_files_that_are_no_videos_are_named(tmp_path: Path) -> None:
    """Missing, empty, text, cut off, sound alone."""
    whole = write_clip(tmp_path / "whole.mp4", corner_frames(5)).read_bytes()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no video\n" * 50)
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    for name, message in (
        ("gone.mp4", "does not exist, or is not a file"),
        ("empty.mp4", "is empty (0 bytes)"),
        ("text.mp4", "cannot be read as a video"),
        ("cut.mp4", "cannot be read as a video"),
    ):
        with pytest.raises(VideoError, match=re.escape(message)) as caught:
            open_clip(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    """It holds no pictures."""
    import av

    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match=r"sound.mp4 holds no pictures"):
        open_clip(tmp_path / "sound.mp4")


def test_without_pyav_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    path = write_clip(tmp_path / "clip.mp4", corner_frames(1))
    plain = builtins.__import__

    def without_av(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return plain(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingPackageError, match=r"pip install 'taskbank\[video\]'"):
        open_clip(path)
