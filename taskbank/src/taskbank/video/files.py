"""Reading of upright frames and their times from videos, and writing with the same times. Needs PyAV.

Frames may have any rate, also a varying one: each keeps its own time. Sound is ignored.
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

from taskbank.atomic_files import whole_file
from taskbank.errors import MissingPackageError, OutputError, VideoError
from taskbank.paths import plain_path

_USUAL_RATE = Fraction(25)  # frames per second, if a file states none
_CODECS = ("libx264", "mpeg4")  # widely supported, best first
_QUALITY = {"crf": "18"}  # of libx264: no visible loss
_RGB, _YUV = "rgb24", "yuv420p"
_BT709 = 1  # matrix and primaries that players expect
_LIMITED = 1  # range of values that players expect
_QUARTER = 90  # degrees
_MOST_STRETCHED = 8  # largest ratio of a pixel's sides
# Bytes of a packet of an MPEG transport stream, and those before its sync byte.
_TRANSPORT = ((188, 0), (192, 4), (204, 0))
_LONGEST_TRANSPORT = 204
_SYNC, _SYNCS = 0x47, 5  # first byte of each packet, and how many in a row show the size
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,ogg,asf,h264,hevc,m4v,mjpeg,gif,ivf,dv,"
    "mxf,nut,rm,wtv"
)

Bytes: TypeAlias = NDArray[np.uint8]
Write: TypeAlias = Callable[[Bytes, int], None]
"""Function that takes a picture uint8 (H, W, 3) and its time in units of the clip's `time_base`."""


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
        parts = [f"{self.packets} damaged packet(s) were skipped"] * bool(self.packets)
        parts += [f"{self.frames} damaged picture(s) were concealed by the decoder"] * bool(self.frames)
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Properties of a video file, without sound.

    Attributes:
        path: the file.
        frames: number of pictures; fewer may be readable in damaged files.
        width: columns of the upright picture.
        height: rows of the upright picture.
        rotation: degrees by which stored pictures are rotated counterclockwise to be upright.
        mirrored: whether pictures are mirrored left to right before the rotation.
        rate: frames per second, on average.
        time_base: unit of times, in seconds.
        sound: whether the file has sound, which is not read.
        cut_off: description of the missing end; empty if the file is complete.
        damage: damaged packets and frames of the last reading.
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
class VideoFrame:
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
    """Read the widths and heights in px that a file states for its video streams, without decoding.

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
        # The stream of a closed file has no attributes (PyAV 19), so all of them are read here.
        time_base = Fraction(stream.time_base)
        sound = bool(container.streams.audio)
        transport = container.format.name == "mpegts"
        promised, seconds = stream.frames, (container.duration or 0) / 1_000_000
        aspect = Fraction(stream.sample_aspect_ratio or 1)
    frames, end = 0, 0.0
    with _reading(path) as (container, stream):
        # Packets of all streams, as the file is as long as the longest one, which may be the sound.
        for packet in _packets(container, None, damage):
            if packet.size:
                frames += packet.stream_index == stream.index
                if packet.pts is not None and packet.time_base:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    cut_off = ""
    if 0 < frames < promised:
        cut_off = f"it is cut off: {frames} of {promised} frames are there"
    elif not promised and end < 0.9 * seconds - 0.5:
        cut_off = f"it is cut off after {end:.1f} of {seconds:.1f} s"
    elif transport and (part := _partial_packet(path)):
        cut_off = f"it is cut off: {part}"
    # Players respect the aspect ratio of pixels; implausible ratios are faults of the file.
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


def read_frames(clip: Clip, wanted: Container[int] | None = None) -> Iterator[VideoFrame]:
    """Yield the frames of a clip in order, without keeping them in memory.

    Damaged packets and frames are skipped, and counted in `clip.damage`.

    Args:
        clip: from `open_clip`.
        wanted: numbers of the frames to yield; others are skipped quickly. None for all frames.

    Raises:
        VideoError: the file can no longer be opened.
    """
    stored = (clip.height, clip.width) if clip.rotation % 180 else (clip.width, clip.height)
    step = max(1, round(1 / (clip.rate * clip.time_base)))
    start, last = None, -1
    clip.damage.packets = clip.damage.frames = 0
    with _reading(clip.path) as (container, stream):
        for number, frame in enumerate(_decoded(container, stream, clip.damage)):
            time = last + step if frame.pts is None else frame.pts
            start = time if start is None else start
            # Faulty files have repeated or decreasing times; players and encoders need increasing ones.
            last = max(time, last + 1) if number else time
            if wanted is None or number in wanted:
                pixels = frame.to_ndarray(format=_RGB, width=stored[0], height=stored[1])
                if clip.mirrored:
                    pixels = pixels[:, ::-1]
                upright = np.rot90(pixels, clip.rotation // _QUARTER)
                yield VideoFrame(number, last - start, np.ascontiguousarray(upright))


def _packets(container: Any, stream: Any | None, damage: Damage) -> Iterator[Any]:
    """Yield the packets of one stream, or of all, up to the end of the file or an unreadable position."""
    av = load_av()
    packets = container.demux() if stream is None else container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:  # nothing can be read after this position
            damage.packets += 1
            return
        yield packet


def _decoded(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """Decode the pictures of a stream; damaged packets are skipped and counted."""
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


def _partial_packet(path: Path) -> str:
    """Describe the end of an MPEG transport stream that is not a whole packet; empty if it is one.

    Transport streams state neither a length nor a number of frames. Whole ones consist of packets of one
    size, so nearly every cut leaves a part of a packet; one in 188 falls between two packets and is not seen.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_TRANSPORT * (_SYNCS + 1))
        end = file.seek(0, os.SEEK_END)
    for size, before in _TRANSPORT:
        for start in range(size):
            syncs = range(start + before, start + before + _SYNCS * size, size)
            if syncs[-1] < len(head) and all(head[place] == _SYNC for place in syncs):
                part = (end - start) % size
                return f"the last packet has {part} of {size} bytes" if part else ""
    return ""  # too short or too damaged to know


def _orientation(frame: Any) -> tuple[int, bool]:
    """Read the rotation in degrees counterclockwise, and True if pictures are mirrored first.

    The file's display matrix maps columns and rows (p, q) to (a p + c q, b p + d q); rows are counted
    downwards. Angles are rounded to quarter turns.
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
    """Yield a function that adds pictures to an MP4 file, which appears if the block ends without an error.

    All pictures have the same size, which may be any. H.264 stores colours for squares of 2 x 2 px: if a side
    is odd, its last row or column is repeated.

    Args:
        path: the file; its folder is created.
        clip: source of the file's rate and unit of time.

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

            yield write
            container.mux(stream.encode())
    except av.FFmpegError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def _reading(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a file and its video stream; convert errors within the block to VideoError."""
    av = load_av()
    if not os.path.isfile(path):  # noqa: PTH113 - accepts names that are too long
        raise VideoError(f"{path} does not exist, or is not a file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes): it was not written to the end, get it again")
    # PyAV 19 has no such argument: it always replaces bytes that are not UTF-8.
    titles = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    try:
        # An absolute path, as FFmpeg would take text before a colon for a protocol; and no playlists, as they
        # name other files and addresses.
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
    """Choose the video stream that players show: the largest one that is not a cover."""
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
    """Return the video streams with a known codec; damaged headers name unknown ones."""
    return [stream for stream in container.streams.video if stream.codec_context is not None]


def load_av() -> Any:
    """Import PyAV, which comes with the extra `video`.

    Raises:
        MissingPackageError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingPackageError(
            "videos need the package av (PyAV): install it with pip install 'taskbank[video]'"
        ) from error
    # Logging to Python from a decoder's thread deadlocks with closing the file. PyAV does not log by default,
    # but torchvision 0.21 enables it for the whole process.
    av.logging.set_level(None)
    return av
