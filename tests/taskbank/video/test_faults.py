"""Videos with faults, odd names and odd shapes: what can be read is read, the rest is said."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.taskbank.clips import corner_frames, write_clip

from taskbank.errors import VideoError
from taskbank.video.files import Damage, open_clip, read_frames


def seen(path: Path) -> list[np.ndarray]:
    """All frames."""
    return [frame.pixels for frame in read_frames(open_clip(path))]


@pytest.mark.parametrize(
    "name",
    ["a:b.mp4", "file:a.mp4", os.fsdecode(b"caf\xe9.mp4"), "http:x.mp4", "-y.mp4"],
    ids=["colon", "protocol file", "no UTF-8", "protocol http", "dash"],
)
def test_names_are_no_addresses(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor need they be UTF-8; also where the path begins with the name."""
    write_clip(tmp_path / "plain.mp4", corner_frames(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(seen(Path(name))) == 3


def test_titles_that_are_no_utf8_do_no_harm(tmp_path: Path) -> None:
    """As cameras of old write them."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "ABCDEFGH"
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"ABCDEFGH", b"caf\xe9\xff\xfe\xe9H"))
    assert len(seen(path)) == 1


@pytest.mark.parametrize(("aspect", "size"), [((2, 1), (128, 48)), ((1, 2), (64, 96)), ((4, 3), (85, 48))])
def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are(
    tmp_path: Path, aspect: tuple[int, int], size: tuple[int, int]
) -> None:
    """As players do."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    clip = open_clip(path)
    assert (clip.width, clip.height) == size
    assert seen(path)[0].shape == (size[1], size[0], 3)


# Of `a b u c d v x y w` in the track's head; columns and rows (p, q) go to (a p + c q, b p + d q).
MATRICES: dict[str, tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "nothing": ((1, 0, 0, 1), lambda image: image),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
    "clockwise": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "counterclockwise": ((0, -1, 1, 0), np.rot90),
    "transposed": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    "other diagonal": ((0, -1, -1, 0), lambda image: np.rot90(image, 2).transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices_of_display_turn_and_mirror(tmp_path: Path, name: str) -> None:
    """All eight, written into the file by hand."""
    numbers, expected = MATRICES[name]
    path = write_clip(tmp_path / "a.mp4", corner_frames(2))
    content = path.read_bytes()
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    head = content.index(b"tkhd")
    place = content.index(plain, head)
    a, b, c, d = (number << 16 for number in numbers)
    changed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    plain_frame = seen(path)[0]
    path.write_bytes(content[:place] + changed + content[place + len(plain) :])
    found = seen(path)[0]
    right = expected(plain_frame)
    assert found.shape == right.shape
    assert np.abs(found.astype(int) - right).mean() < 2


def test_damaged_packets_are_passed_over_and_told(tmp_path: Path) -> None:
    """Those before and behind them are read."""
    path = write_clip(tmp_path / "a.mkv", corner_frames(24))
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    content = path.read_bytes()
    place = content.index(packets[8])
    path.write_bytes(content[:place] + b"\xff" * len(packets[8]) + content[place + len(packets[8]) :])
    clip = open_clip(path)
    found = list(read_frames(clip))
    assert 16 <= len(found) <= 24
    assert "damaged" in str(clip.damage)
    assert str(Damage()) == ""


def test_files_that_are_cut_off_are_said_to_be(tmp_path: Path) -> None:
    """With the frames that are there; without an index at the end there are none."""
    whole = write_clip(tmp_path / "a.mkv", corner_frames(100))
    assert open_clip(whole).cut_off == ""
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    clip = open_clip(cut)
    assert 10 < len(list(read_frames(clip))) < 90
    assert clip.cut_off.startswith("it is cut off after ")
    mp4 = write_clip(tmp_path / "a.mp4", corner_frames(10))
    mp4.write_bytes(mp4.read_bytes()[:-200])
    with pytest.raises(VideoError, match="be (cut off or )?damaged, get it again"):
        open_clip(mp4)


def test_streams_with_sound_are_as_long_as_their_longest_part(tmp_path: Path) -> None:
    """A cut is seen in files with sound, too, and sound that ends earlier or later is no cut."""
    whole = write_clip(tmp_path / "a.mkv", corner_frames(100), sound=True)
    assert open_clip(whole).cut_off == ""
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert open_clip(cut).cut_off.startswith("it is cut off after ")
    for seconds in (1, 9):
        path = tmp_path / f"{seconds}.mkv"
        with av.open(str(path), "w") as container:
            picture: Any = container.add_stream("mpeg4", rate=25)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            sound: Any = container.add_stream("aac", rate=8000)
            for _ in range(75):
                container.mux(picture.encode(av.VideoFrame(64, 48, "yuv420p")))
            container.mux(picture.encode())
            silence = np.zeros((1, 1024), np.float32)
            for number in range(seconds * 8000 // 1024):
                part = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
                part.sample_rate, part.pts = 8000, 1024 * number
                container.mux(sound.encode(part))
            container.mux(sound.encode())
        assert open_clip(path).cut_off == ""


@pytest.mark.parametrize("blu_ray", [False, True])
def test_transport_streams_that_end_within_a_packet_are_cut_off(tmp_path: Path, blu_ray: bool) -> None:
    """They state no length, but consist of packets of 188 bytes, or of 192 with times, as on Blu-ray discs."""
    whole = tmp_path / "a.ts"
    with av.open(
        str(whole), "w", format="mpegts", options={"mpegts_m2ts_mode": "1" if blu_ray else "0"}
    ) as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in corner_frames(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    assert open_clip(whole).cut_off == ""
    size = 192 if blu_ray else 188
    assert whole.stat().st_size % size == 0
    content = whole.read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(content[: 20 * size + 100])
    clip = open_clip(cut)
    assert clip.cut_off == f"it is cut off: the last packet has 100 of {size} bytes"
    assert 0 < len(list(read_frames(clip))) < 50
    late = tmp_path / "late.ts"  # recorded from the middle of a packet on
    late.write_bytes(content[50:])
    assert open_clip(late).cut_off == ""


def test_a_codec_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", corner_frames(2))
    content = (tmp_path / "a.mp4").read_bytes()
    assert b"avc1" in content
    (tmp_path / "a.mp4").write_bytes(content.replace(b"avc1", b"none").replace(b"avcC", b"nonC"))
    with pytest.raises(VideoError, match=r"a\.mp4 is coded in a way that nothing here reads"):
        open_clip(tmp_path / "a.mp4")


def test_playlists_lead_nowhere(tmp_path: Path) -> None:
    """A file that is called a video cannot make other files, or addresses, be read."""
    write_clip(tmp_path / "secret.ts", corner_frames(3))
    playlist = tmp_path / "a.mp4"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path / 'secret.ts'}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(VideoError, match="cannot be read as a video"):
        open_clip(playlist)


def test_the_largest_stream_is_read(tmp_path: Path) -> None:
    """Not the first one, where that is a small preview."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams: list[Any] = []
        for width, height in ((32, 16), (128, 64)):
            stream: Any = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for number in range(5):
            for stream in streams:
                frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    clip = open_clip(path)
    assert (clip.width, clip.height) == (128, 64)
    assert [image.shape for image in seen(path)] == [(64, 128, 3)] * 5
