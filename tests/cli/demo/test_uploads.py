"""Uploads to the demo: what is taken, and what hostile files are told."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taskbank_demo.errors import UploadError
from taskbank_demo.settings import DemoSettings
from taskbank_demo.uploads import check_upload, delete_upload, open_video, read_image, read_text

SETTINGS = DemoSettings(upload_bytes=200_000, image_pixels=1_000_000, image_side=64, video_frames=10)


def picture(width: int = 40, height: int = 30) -> Image.Image:
    """Seeded noise."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_of(width: int, height: int) -> bytes:
    """A PNG file that states a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "tiff", "gif"])
def test_pictures_of_usual_kinds_are_read(tmp_path: Path, ending: str) -> None:
    """Whatever they are called."""
    path = tmp_path / f"a.{ending}"
    picture().save(path)
    named = path.rename(tmp_path / "picture.dat")
    read = read_image(named, SETTINGS, tmp_path)
    assert (read.mode, read.size) == ("RGB", (40, 30))


def test_a_large_picture_is_reduced_and_keeps_its_shape(tmp_path: Path) -> None:
    """Its longest side is that of the settings."""
    picture(256, 128).save(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg", SETTINGS, tmp_path).size == (64, 32)


def test_a_photograph_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    """By its EXIF orientation, also where it is reduced."""
    lying = Image.new("RGB", (120, 90), "red")
    lying.paste((0, 0, 255), (0, 0, 60, 90))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    lying.save(tmp_path / "a.jpg", exif=exif, quality=95)
    upright = read_image(tmp_path / "a.jpg", SETTINGS, tmp_path)
    assert upright.size == (48, 64)
    assert upright.getpixel((24, 10))[2] > 200  # type: ignore[index]  # what lay left is on top
    assert upright.getpixel((24, 54))[0] > 200  # type: ignore[index]


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    """As everywhere in taskbank."""
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", SETTINGS, tmp_path).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(2000, 1000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """A few bytes may state any size."""
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(*size))
    with pytest.raises(UploadError, match="bomb.png has more pixels than the 1 million"):
        read_image(path, SETTINGS, tmp_path)


def test_a_picture_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    """Half a file."""
    held = io.BytesIO()
    picture(200, 200).save(held, format="PNG")
    (tmp_path / "half.png").write_bytes(held.getvalue()[: len(held.getvalue()) // 2])
    with pytest.raises(UploadError, match=r"half.png cannot be read as an image"):
        read_image(tmp_path / "half.png", SETTINGS, tmp_path)


@cache
def hostile_files() -> dict[str, bytes]:
    """Files that are no pictures, whatever they say."""
    array, archive = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros((4, 4, 3), np.uint8))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.png", bytes(1_000_000))
    return {
        "text.png": b"hello",
        "array.npy": array.getvalue(),
        "pickle.png": pickle.dumps({"a": 1}),
        "bomb.zip": archive.getvalue(),
        "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://example.org/a'/></svg>",
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n",
    }


@pytest.mark.parametrize("name", list(hostile_files()))
def test_what_is_no_picture_is_refused(tmp_path: Path, name: str) -> None:
    """Arrays, pickles, archives and programs of other languages are not opened."""
    path = tmp_path / name
    path.write_bytes(hostile_files()[name])
    with pytest.raises(UploadError, match="cannot be read as an image"):
        read_image(path, SETTINGS, tmp_path)


def test_a_file_that_is_too_large_or_empty_is_refused(tmp_path: Path) -> None:
    """The message says how much is allowed."""
    (tmp_path / "large.png").write_bytes(bytes(200_001))
    with pytest.raises(UploadError, match=r"large.png has 0.2 MB, and 0 MB are allowed"):
        check_upload(tmp_path / "large.png", SETTINGS, tmp_path)
    (tmp_path / "none.png").touch()
    with pytest.raises(UploadError, match=r"none.png is empty"):
        check_upload(tmp_path / "none.png", SETTINGS, tmp_path)
    with pytest.raises(UploadError, match="No file was chosen"):
        check_upload(None, SETTINGS, tmp_path)


def test_files_elsewhere_are_not_read(tmp_path: Path) -> None:
    """Neither by their path, nor by steps upwards, nor by a link, nor an address."""
    folder = tmp_path / "folder"
    folder.mkdir()
    secret = tmp_path / "secret.png"
    picture().save(secret)
    (folder / "link.png").symlink_to(secret)
    for path in (
        secret,
        folder / ".." / "secret.png",
        folder / "link.png",
        folder,
        "/etc/passwd",
        "http://example.org/a.png",
    ):
        with pytest.raises(UploadError, match="no longer stored"):
            check_upload(path, SETTINGS, folder)


def test_deleting_leaves_files_elsewhere_alone(tmp_path: Path) -> None:
    """A path that a client made up deletes nothing."""
    folder = tmp_path / "folder"
    folder.mkdir()
    secret, upload = tmp_path / "secret", folder / "upload"
    for path in (secret, upload):
        path.write_text("x", encoding="utf-8")
    for given in (secret, folder / ".." / "secret", upload, upload, None):
        delete_upload(given, folder)
    assert secret.exists()
    assert not upload.exists()


def test_text_is_read_without_its_mark_and_nothing_else_is_text(tmp_path: Path) -> None:
    """UTF-8, as spreadsheets write it."""
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa,b")
    assert read_text(tmp_path / "a.csv", SETTINGS, tmp_path) == "a,b"
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UploadError, match=r"b.csv is not UTF-8 text"):
        read_text(tmp_path / "b.csv", SETTINGS, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"v=0\r\nm=video 9 RTP/AVP 96\r\n",
        b"hello",
        pickle.dumps([1]),
    ],
)
def test_lists_of_other_files_are_no_videos(tmp_path: Path, content: bytes) -> None:
    """A reader of videos would open what they name."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(UploadError, match=r"clip.mp4 is not a video: MP4"):
        open_video(path, SETTINGS, tmp_path)


def write_clip(path: Path, frames: int, size: tuple[int, int] = (32, 16)) -> None:
    """A clip of so many frames at 25 a second."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            grey = np.full((size[1], size[0], 3), number * 10, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def test_a_short_video_is_taken(tmp_path: Path) -> None:
    """Its frames are counted, not believed."""
    write_clip(tmp_path / "a.mp4", 8)
    clip = open_video(tmp_path / "a.mp4", SETTINGS, tmp_path)
    assert (clip.frames, clip.width, clip.height) == (8, 32, 16)


def test_a_long_or_large_video_is_refused(tmp_path: Path) -> None:
    """The message says what is allowed."""
    write_clip(tmp_path / "long.mp4", 12)
    with pytest.raises(UploadError, match=r"12 frames in 0.5 seconds; 10 frames and 20 seconds are allowed"):
        open_video(tmp_path / "long.mp4", SETTINGS, tmp_path)
    small = DemoSettings(video_pixels=400)
    with pytest.raises(UploadError, match="32 x 16 pixels"):
        open_video(tmp_path / "long.mp4", small, tmp_path)


def test_a_damaged_video_is_refused(tmp_path: Path) -> None:
    """It begins like one."""
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(500))
    with pytest.raises(UploadError, match=r"a.mp4 cannot be read as a video"):
        open_video(tmp_path / "a.mp4", SETTINGS, tmp_path)


def test_a_video_of_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """Its stream has no size."""
    path = tmp_path / "a.mp4"
    write_clip(path, 4)
    content = path.read_bytes()
    assert b"mp4v" in content
    path.write_bytes(content.replace(b"mp4v", b"none").replace(b"esds", b"none"))
    with pytest.raises(UploadError, match=r"a.mp4 cannot be read as a video"):
        open_video(path, SETTINGS, tmp_path)
