"""A short video in the Transfers tab: compared frame by frame, in time, into a video that browsers play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.taskbank.clips import corner_frames, read_clip, write_clip

from taskbank.video.files import open_clip
from taskbank_demo.deadline import Deadline
from taskbank_demo.errors import SlowRequestError, UploadError
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from taskbank_demo.transfers import video as transfers_video
from taskbank_demo.transfers.cast import cast
from taskbank_demo.transfers.example import example_video
from taskbank_demo.transfers.menu import Choice
from taskbank_demo.transfers.mosaic import CELL
from taskbank_demo.transfers.pictures import finished, preview, progress
from taskbank_demo.transfers.requests import caption_lines, on_video, standing_of
from taskbank_demo.transfers.uploads import forget, keep_video
from taskbank_demo.transfers.video import VideoProgress, compare_video, frame_step
from toy_transfers import toy_transfer_bank

NORMALS = Choice(("edge_texture",), "normal")
DEPTH = Choice(("normal",), "depth_zbuffer")
TENSOR = "taskonomy-16k"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all temporary files."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def services(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A demo of a bank with all baselines for normals, and none for depth."""
    bank = toy_transfer_bank(tmp_path_factory.mktemp("toy") / "bank")
    settings = DemoSettings(bank=bank.where, device="cpu", video_seconds=2, video_frames=30)
    return make_services(settings, folder)


@pytest.fixture
def clip(folder: Path) -> Path:
    """Ten frames of 64 x 48 at uneven times."""
    times = [0, 40, 90, 130, 170, 300, 340, 380, 420, 460]
    return write_clip(folder / "clip.mp4", corner_frames(10), times)


def test_a_video_becomes_a_side_by_side_video(services: Services, clip: Path) -> None:
    """As many frames at the same times; each cell holds its own picture; in H.264, as browsers play it."""
    made = on_video(services, NORMALS, clip, TENSOR)
    assert made.seconds == pytest.approx(0.5, abs=0.02)
    steps = list(made.steps)
    assert [step.done for step in steps] == [0, 4, 8, 10]
    assert {(step.total, step.every) for step in steps} == {(10, 1)}
    frames, times = read_clip(made.path)
    assert times == pytest.approx(read_clip(clip)[1])
    assert frames[0].shape == (2 * (CELL + 48), 3 * (CELL + 12) + 12, 3)
    seen = frames[3][36 : 36 + CELL, 12 : 12 + CELL].astype(float)
    given = read_clip(clip)[0][3][:, 8:56]
    expected = np.asarray(Image.fromarray(given).resize((CELL, CELL), Image.Resampling.BILINEAR), float)
    assert np.abs(seen - expected).mean() < 6
    with av.open(str(made.path)) as container:
        stream: Any = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_the_first_frame_is_shown_before_the_video_is_made(services: Services, clip: Path) -> None:
    """And no file is there before the last step."""
    made = on_video(services, NORMALS, clip, TENSOR)
    first = next(made.steps)
    assert (first.done, first.image.size) == (0, (3 * (CELL + 12) + 12, 2 * (CELL + 48)))
    assert not made.path.exists()
    html = progress(first, NORMALS)
    assert 'aria-valuenow="0"' in html
    assert "Frame 0 of 10<" in html
    list(made.steps)
    assert made.path.exists()


def test_a_stopped_video_leaves_no_file(services: Services, clip: Path) -> None:
    """Not even a part of one."""
    made = on_video(services, NORMALS, clip, TENSOR)
    next(made.steps)
    next(made.steps)
    made.steps.close()  # type: ignore[attr-defined]
    assert list(made.path.parent.iterdir()) == []


def test_networks_that_the_bank_lacks_are_left_out_and_named(services: Services, clip: Path) -> None:
    """Depth has the transfer only; its words stand below, as no cell is free."""
    made = on_video(services, DEPTH, clip, TENSOR)
    *_, last = made.steps
    assert last.image.size == (2 * (CELL + 12) + 12, CELL + 48 + 5 * 26 + 12)
    html = finished(last, made.seconds, made.parts)
    assert "10 frames, row by row: input, transfer." in html
    assert html.count("tr-absent") == 3


@pytest.mark.parametrize(
    ("seconds", "frames", "left", "every"),
    [
        (0.1, 100, 120.0, 1),
        (0.1, 600, 100.0, 1),
        (0.1, 601, 100.0, 2),
        (1.0, 600, 100.0, 10),
        (0.1, 600, 0.0, 60_000),
    ],
)
def test_frames_are_left_out_where_not_all_fit_into_the_time(
    seconds: float, frames: int, left: float, every: int
) -> None:
    """60 % of the time that is left may be planned."""
    assert frame_step(seconds, frames, left) == every


def test_a_video_with_frames_left_out_is_as_long_as_before(
    services: Services, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third frame, at its own time, and that is said."""
    monkeypatch.setattr(transfers_video, "frame_step", lambda *_: 3)
    made = on_video(services, NORMALS, clip, TENSOR)
    *_, last = made.steps
    assert (last.done, last.total, last.every) == (4, 4, 3)
    assert read_clip(made.path)[1] == pytest.approx([0, 0.13, 0.34, 0.46])
    assert "every 3rd one so that it is done in time" in progress(last, NORMALS)
    assert "Every 3rd frame was compared" in finished(last, made.seconds, made.parts)


class Waning(Deadline):
    """Time that is over when it was asked for a number of times."""

    def __init__(self, asked: int) -> None:
        super().__init__(100)
        self.asked = asked

    @property
    def left(self) -> float:
        """Seconds."""
        self.asked -= 1
        return 100.0 if self.asked > 0 else 0.0


def test_a_video_ends_early_where_the_time_is_over(services: Services, clip: Path) -> None:
    """With the frames that are done, rather than with nothing."""
    path = services.new_folder() / "out.mp4"
    parts = cast(services.need_networks(), NORMALS)
    *_, last = compare_video(open_clip(clip), parts, "normal", path, [], Waning(4))
    assert (last.done, last.total) == (8, 10)
    assert len(read_clip(path)[0]) == 8
    assert "The time was over after 0.4 of 0.5 seconds." in finished(last, 0.5, parts)


def test_a_request_without_time_is_refused(services: Services, clip: Path) -> None:
    """Before anything runs."""
    parts = cast(services.need_networks(), NORMALS)
    with pytest.raises(SlowRequestError):
        next(compare_video(open_clip(clip), parts, "normal", clip.parent / "out.mp4", [], Deadline(0)))


def test_the_picture_says_what_it_shows(services: Services) -> None:
    """It leaves the page as a file."""
    lines = caption_lines(NORMALS, standing_of(services, NORMALS, TENSOR))
    assert lines[:2] == ["Normals read from", "2D Edges"]
    assert lines[-1] == "in the tensor taskonomy-16k"
    own = Choice(("normal",), "lamps")
    assert caption_lines(own, standing_of(services, own, TENSOR))[-1] == "not measured in taskonomy-16k"


def test_the_example_video_can_be_compared(services: Services) -> None:
    """It is made on the spot, and within the limits."""
    path = example_video(services)
    made = on_video(services, NORMALS, path, TENSOR)
    assert (made.clip.frames, made.clip.width, made.clip.height) == (24, 288, 288)
    assert next(made.steps).total == 24


def hostile(folder: Path, kind: str) -> Path:
    """A file that says it is a video."""
    path = folder / f"{kind}.mp4"
    if kind == "long":
        return write_clip(path, corner_frames(31))
    if kind == "slow":
        return write_clip(path, corner_frames(4), [0, 1000, 2000, 3000])
    if kind == "large":
        return write_clip(path, corner_frames(2, 2048, 1100))
    if kind == "picture":
        Image.new("RGB", (64, 48), "red").save(path, format="PNG")
    elif kind == "cut":
        whole = write_clip(path, corner_frames(10)).read_bytes()
        path.write_bytes(whole[: len(whole) // 3])
    else:
        path.write_bytes({"empty": b"", "words": b"hello " * 100, "list": LIST}[kind])
    return path


LIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("kind", ["long", "slow", "large", "picture", "cut", "empty", "words", "list"])
def test_hostile_videos_are_refused_and_deleted(services: Services, folder: Path, kind: str) -> None:
    """Too long, too large, damaged, or something else under that name; nothing is kept of them."""
    path = hostile(folder, kind)
    before = set(folder.iterdir()) - {path}
    with pytest.raises(UploadError, match=f"{kind}.mp4") as caught:
        keep_video(services, path)
    assert str(folder) not in str(caught.value)
    assert set(folder.iterdir()) == before


def test_a_video_is_kept_under_a_name_of_its_own(services: Services, clip: Path) -> None:
    """The upload is gone; two visitors with the same file do not delete it for each other."""
    content = clip.read_bytes()
    one = keep_video(services, clip)
    assert not clip.exists()
    clip.write_bytes(content)
    other = keep_video(services, clip)
    forget(services, one)
    assert open_clip(Path(other)).frames == 10
    html = preview(other)
    assert "64 x 48, 10 frames, 0.5 seconds" in html
    assert f'src="gradio_api/file={other}"' in html
    assert 'poster="data:image/jpeg;base64,' in html
    forget(services, other)
    assert not Path(other).parent.exists()


def test_a_video_that_is_damaged_later_on_is_said_to_be(services: Services, clip: Path) -> None:
    """Without its place on the server."""
    made = on_video(services, NORMALS, clip, TENSOR)
    clip.write_bytes(b"gone")
    with pytest.raises(UploadError, match=r"^clip.mp4 is damaged: it cannot be read to its end\.$"):
        list(made.steps)


def test_progress_has_a_picture_with_words() -> None:
    """For those who do not see it."""
    step = VideoProgress(done=3, total=12, every=1, seconds=0.1, image=Image.new("RGB", (8, 8)))
    html = progress(step, NORMALS)
    assert 'aria-valuenow="25"' in html
    assert 'alt="Newest frame: Normals read from 2D Edges"' in html
