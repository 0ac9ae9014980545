"""Videos: frames read upright with their times, pictures written with the same times. Needs PyAV.

Frames may come at any rate, also a varying one: each carries its own time from the file to the file. Only
the picture is read; sound stays behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taskbank.atomic_files import plain_path, whole_file
from taskbank.errors import MissingPackageError, OutputError, VideoError

_USUAL_RATE = Fraction(25)  # frames per second, where a file does not say
_CODECS = ("libx264", "mpeg4")  # what plays everywhere, best first
_QUALITY = {"crf": "18"}  # of libx264: no loss is seen
_RGB, _YUV = "rgb24", "yuv420p"
_BT709 = 1  # matrix and primaries that players expect
_LIMITED = 1  # range of values that players expect
_QUARTER = 90  # degrees
_MOST_STRETCHED = 8  # times as wide as high, or the other way, pixels may be
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,ogg,asf,h264,hevc,m4v,mjpeg,gif,ivf,dv,"
    "mxf,nut,rm,wtv"
)

Bytes: TypeAlias = NDArray[np.uint8]
Write: TypeAlias = Callable[[Bytes, int], None]
"""Takes a picture uint8 (H, W, 3) and its time in units of the clip's `time_base`."""


@dataclass(slots=True)
class Damage:
    """Number of damaged packets and frames of a clip.

    Attributes:
        packets: damaged packets that were skipped.
        frames: damaged frames that the decoder concealed.
    """

    packets: int = 0
    frames: int = 0

    def __str__(self) -> str:
        """Describe the damage in words; empty if there is none."""
        parts = [f"{self.packets} damaged packet(s) were passed over"] * bool(self.packets)
        parts += [f"{self.frames} damaged picture(s) were mended by the decoder"] * bool(self.frames)
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The picture of a video file.

    Attributes:
        path: the file.
        frames: pictures in it; damaged ones may be fewer when they are read.
        width: columns of the upright picture.
        height: rows of the upright picture.
        rotation: degrees by which stored pictures are turned counterclockwise to be upright.
        mirrored: whether they are mirrored left to right before they are turned.
        rate: frames per second, on average.
        time_base: unit of times, in seconds.
        sound: whether the file has sound, which is not read.
        cut_off: what is missing at the end, in words; empty where the file is whole.
        damage: what the last reading of the frames passed over.
    """

    path: Path
    frames: int
    width: int
    height: int
    rotation: int
    rate: Fraction
    time_base: Fraction
    sound: bool
    mirrored: bool = False
    cut_off: str = ""
    damage: Damage = field(default_factory=Damage, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip.

    Attributes:
        number: from 0.
        time: since the first frame, in units of the clip's `time_base`; grows from frame to frame.
        pixels: uint8 (H, W, 3), sRGB, upright.
    """

    number: int
    time: int
    pixels: Bytes


def stated_sizes(path: Path) -> list[tuple[int, int]]:
    """Read the widths and heights in px that a file states for its streams of pictures; decode nothing.

    Raises:
        VideoError: the file is missing, damaged, or holds no pictures.
        MissingPackageError: PyAV is not installed.
    """
    with _reading(path) as (container, _):
        return [(stream.width, stream.height) for stream in _readable(container)]


def open_clip(path: Path) -> Clip:
    """Read the properties of a video file. All packets are read, but only one frame is decoded.

    Raises:
        VideoError: the file is missing, damaged, or holds no pictures.
        MissingPackageError: PyAV is not installed.
    """
    damage = Damage()
    with _reading(path) as (container, stream):
        first = next(_decoded(container, stream, damage), None)
        if first is None:
            raise VideoError(f"{path} holds no picture that can be read: it may be damaged, get it again")
        rotation, mirrored = _orientation(first)
        rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
        # A stream of a closed file has no values any more (PyAV 19), so all of it is read in here.
        time_base = Fraction(stream.time_base)
        sound = bool(container.streams.audio)
        promised, seconds = stream.frames, (container.duration or 0) / 1_000_000
        aspect = Fraction(stream.sample_aspect_ratio or 1)
    frames, end = 0, 0.0
    with _reading(path) as (container, stream):
        for packet in _packets(container, stream, damage):
            if packet.size:
                frames += 1
                if packet.pts is not None:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * time_base))
    cut_off = ""
    if 0 < frames < promised:
        cut_off = f"it is cut off: {frames} of {promised} frames are there"
    elif not promised and not sound and end < 0.9 * seconds - 0.5:
        cut_off = f"it is cut off after {end:.1f} of {seconds:.1f} s"
    # Players show pixels that are not square as wide as they are meant; other ratios are faults.
    wide, high = first.width, first.height
    if 1 < aspect <= _MOST_STRETCHED:
        wide = round(wide * aspect)
    elif 1 / _MOST_STRETCHED <= aspect < 1:
        high = round(high / aspect)
    if rotation % 180:
        wide, high = high, wide
    return Clip(
        path=path,
        frames=frames,
        width=wide,
        height=high,
        rotation=rotation,
        rate=Fraction(rate),
        time_base=time_base,
        sound=sound,
        mirrored=mirrored,
        cut_off=cut_off,
    )


def read_frames(clip: Clip, wanted: Container[int] | None = None) -> Iterator[Frame]:
    """The frames of a clip in order, one by one; nothing is kept.

    What is damaged is passed over, and counted in `clip.damage`.

    Args:
        clip: from `open_clip`.
        wanted: numbers of the frames to give; others are passed over quickly. None is all of them.

    Raises:
        VideoError: the file cannot be opened any more.
    """
    stored = (clip.height, clip.width) if clip.rotation % 180 else (clip.width, clip.height)
    step = max(1, round(1 / (clip.rate * clip.time_base)))
    start, last = None, -1
    clip.damage.packets = clip.damage.frames = 0
    with _reading(clip.path) as (container, stream):
        for number, frame in enumerate(_decoded(container, stream, clip.damage)):
            time = last + step if frame.pts is None else frame.pts
            start = time if start is None else start
            # Files with faults repeat times, or go back; players and encoders want them to grow.
            last = max(time, last + 1) if number else time
            if wanted is None or number in wanted:
                pixels = frame.to_ndarray(format=_RGB, width=stored[0], height=stored[1])
                if clip.mirrored:
                    pixels = pixels[:, ::-1]
                upright = np.rot90(pixels, clip.rotation // _QUARTER)
                yield Frame(number, last - start, np.ascontiguousarray(upright))


def _packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """The packets of a stream, as far as the file goes."""
    av = load_av()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:  # behind it nothing can be found any more
            damage.packets += 1
            return
        yield packet


def _decoded(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """The pictures of a stream; packets that are damaged are passed over and counted."""
    av = load_av()
    for packet in _packets(container, stream, damage):
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            damage.packets += 1
            continue
        for picture in pictures:
            damage.frames += bool(picture.is_corrupt)
            yield picture


def _orientation(frame: Any) -> tuple[int, bool]:
    """Degrees counterclockwise, and whether pictures are mirrored first, from the file's matrix of display.

    The matrix takes columns and rows (p, q) to (a p + c q, b p + d q); rows are counted downwards. Angles
    between quarters go to the nearest one.
    """
    found = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return round(frame.rotation / _QUARTER) * _QUARTER % 360, False
    a, b, _, c, d, *_ = np.frombuffer(bytes(found), np.int32, 9).tolist()
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (180 if a + d < 0 else 0), mirrored
    return (270 if b - c > 0 else 90), mirrored


@contextmanager
def video_writer(path: Path, clip: Clip) -> Iterator[Write]:
    """A function that adds pictures to a new MP4 file, which is there when all went well and not before.

    Pictures may have any size, but all the same one. H.264 stores colours for squares of 2 x 2 px: where a
    side is odd, its last row or column is repeated.

    Args:
        path: the file; its folder is made.
        clip: whose rate and unit of time the file has.

    Raises:
        OutputError: the file cannot be written.
        MissingPackageError: PyAV is not installed.
    """
    av = load_av()
    codec = next(name for name in _CODECS if name in av.codecs_available)
    try:
        with (
            whole_file(path) as partial,
            av.open(
                str(plain_path(partial)), "w", format="mp4", options={"movflags": "faststart"}
            ) as container,
        ):
            stream = container.add_stream(codec, rate=clip.rate, options=dict(_QUALITY))
            yield _writer(av, container, stream, clip)
            container.mux(stream.encode())
    except av.FFmpegError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def _writer(av: Any, container: Any, stream: Any, clip: Clip) -> Write:
    """Return a function that writes pictures into an open file; the first one sets their size."""
    context = stream.codec_context

    def write(picture: Bytes, time: int) -> None:
        rows, columns = picture.shape[:2]
        even = np.pad(picture, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
        if not context.is_open:
            context.height, context.width = even.shape[:2]
            context.pix_fmt, context.time_base = _YUV, clip.time_base
            context.colorspace = context.color_primaries = _BT709
            context.color_trc, context.color_range = _BT709, _LIMITED
        frame = av.VideoFrame.from_ndarray(even, format=_RGB)
        frame = frame.reformat(format=_YUV, dst_colorspace=_BT709, dst_color_range=_LIMITED)
        frame.pts, frame.time_base = time, clip.time_base
        container.mux(stream.encode(frame))

    return write


@contextmanager
def _reading(path: Path) -> Iterator[tuple[Any, Any]]:
    """An open file and its stream of pictures; what goes wrong meanwhile is the file's fault."""
    av = load_av()
    if not os.path.isfile(path):  # noqa: PTH113 - takes names that are too long, too
        raise VideoError(f"{path} does not exist, or is no file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes): it was not written to the end, get it again")
    # PyAV 19 has no such argument any more: it replaces what is no UTF-8 without being asked.
    titles = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    try:
        # From the root on, or what stands before a colon were a protocol; and only files that hold pictures
        # themselves, as playlists name other files and addresses.
        with av.open(
            str(plain_path(path)),
            options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
            **titles,
        ) as container:
            yield container, _best_stream(container, path)
    except VideoError:
        raise
    except av.FFmpegError as error:
        raise VideoError(
            f"{path} cannot be read as a video: {error.strerror}. It may be cut off or damaged, get it again"
        ) from error
    except (ValueError, TypeError, LookupError, RuntimeError, MemoryError, OSError) as error:
        raise VideoError(f"{path} cannot be read as a video: {error}") from error


def _best_stream(container: Any, path: Path) -> Any:
    """The stream of pictures that players show: the largest that is no cover."""
    if not container.streams.video:
        raise VideoError(f"{path} holds no pictures: name a video, or an image")
    av = load_av()
    known = _readable(container)
    if not known:
        raise VideoError(f"{path} is coded in a way that nothing here reads: it may be damaged, get it again")
    covers = av.stream.Disposition.attached_pic
    shown = [one for one in known if not one.disposition & covers]
    stream = max(shown or known, key=lambda one: one.width * one.height)
    stream.thread_type = "AUTO"
    return stream


def _readable(container: Any) -> list[Any]:
    """Return the video streams of a known codec; damaged headers name unknown ones."""
    return [stream for stream in container.streams.video if stream.codec_context is not None]


def load_av() -> Any:
    """PyAV, which comes with the extra `video`.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingPackageError(
            "videos need the package av (PyAV): install it with pip install 'taskbank[video]'"
        ) from error
    # A decoder's thread that logs to Python waits for ever for the lock that closing the file holds. PyAV
    # does not log unless it is told to, but torchvision 0.21 does so for the whole process.
    av.logging.set_level(None)
    return av
