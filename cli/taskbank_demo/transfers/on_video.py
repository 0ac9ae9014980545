"""A short video in the Transfers tab: compared frame by frame, with progress, into one side-by-side video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from taskbank.errors import MissingPackageError
from taskbank.video.files import load_av
from taskbank_demo.components import FileUpload
from taskbank_demo.errors import UploadError, readable
from taskbank_demo.live.results import empty_after_failure, heavy, quick
from taskbank_demo.pieces import missing_panel, note
from taskbank_demo.services import Services
from taskbank_demo.transfers.example import example_video
from taskbank_demo.transfers.menu import TransferMenu
from taskbank_demo.transfers.pictures import finished, preview, progress, waiting
from taskbank_demo.transfers.requests import on_video
from taskbank_demo.transfers.uploads import forget, keep_video

_NONE_YET = waiting("Every network of this comparison looks at each frame of the video that you upload.")
_ONE_AT_A_TIME = {"concurrency_id": "videos", "concurrency_limit": 1, "show_progress": "minimal"}
"""Options of events for videos, which have their own queue, so that photographs do not wait."""


@dataclass(frozen=True, slots=True, eq=False)
class _Film:
    """Widgets of the result."""

    state: gr.HTML
    video: gr.Video
    words: gr.HTML
    stop: gr.Button

    @property
    def all(self) -> list[Any]:
        """Return all components, in the order of a handler's results."""
        return [self.state, self.video, self.words, self.stop]


def video_part(services: Services, menu: TransferMenu, chosen: gr.Dropdown, tensor: gr.Dropdown) -> None:
    """Put the video's part on the page.

    Args:
        services: state that users share.
        menu: of the bank.
        chosen: component with the name of a transfer.
        tensor: component with the name of an affinity tensor.
    """
    try:
        load_av()
    except MissingPackageError as error:
        gr.HTML(missing_panel("Videos cannot be read here", str(error), ["pip install 'taskbank[video]'"]))
        return
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(elem_classes="tb-side", scale=0, min_width=320):
            video = FileUpload(
                label="Short video", file_types=["video"], height=140, elem_id="transfers-video"
            )
            limits = services.settings
            gr.HTML(
                note(
                    f"Up to {limits.video_seconds:g} seconds, {limits.video_frames} frames and "
                    f"{limits.upload_bytes / 2**20:.0f} MB. Sound is left out."
                )
            )
            example = gr.Button("Take an example video", elem_id="transfers-example-video")
            shown = gr.HTML(visible=False, elem_id="transfers-preview")
            start = gr.Button("Compare frame by frame", variant="primary", elem_id="transfers-start")
            stop = gr.Button("Stop", visible=False, elem_id="transfers-stop")
        with gr.Column(elem_classes="tb-main"):
            film = _Film(
                state=gr.HTML(_NONE_YET, elem_id="transfers-progress"),
                video=gr.Video(
                    label="Side by side",
                    show_label=False,
                    interactive=False,
                    autoplay=True,
                    loop=True,
                    visible=False,
                    elem_id="transfers-film",
                ),
                words=gr.HTML(),
                stop=stop,
            )
    kept = gr.State(
        "",
        time_to_live=services.settings.keep_seconds,
        delete_callback=lambda path: forget(services, path),
    )
    _wire_upload(services, video, example, [shown, kept])
    _wire_comparing(services, menu, [kept, chosen, tensor], start, film)


def _wire_upload(services: Services, video: gr.File, example: gr.Button, shown: list[Any]) -> None:
    """Check a video when it arrives, so that errors are reported early; then empty the upload component."""
    kept = shown[1]

    @readable
    def on_upload(path: str | None, before: str) -> Iterator[tuple[Any, ...]]:
        forget(services, before)
        yield gr.skip(), gr.HTML(visible=False), ""  # stays if the video is rejected
        copy = keep_video(services, path)
        yield None, gr.HTML(preview(copy), visible=True), copy

    @readable
    def on_example(before: str) -> tuple[Any, ...]:
        forget(services, before)
        copy = example_video(services)
        return gr.HTML(preview(copy), visible=True), copy

    uploaded = video.upload(on_upload, [video, kept], [video, *shown], **quick())
    empty_after_failure(uploaded, video)
    example.click(on_example, kept, shown, **quick())


def _wire_comparing(
    services: Services, menu: TransferMenu, given: list[Any], start: gr.Button, film: _Film
) -> None:
    """Connect the uploaded video to the side-by-side one; another choice resets it.

    Args:
        services: state that users share.
        menu: of the bank.
        given: components with the path of the video, the name of a transfer, and that of a tensor.
        start: button that starts the comparison.
        film: widgets of the result.
    """

    @readable
    def on_start(path: str, name: str, tensor: str) -> Iterator[tuple[Any, ...]]:
        if not path:
            raise UploadError("There is no video yet: upload one, or take the example video.")
        choice = menu.named(name)
        made = on_video(services, choice, path, tensor)
        step = None
        for step in made.steps:
            yield _show(progress(step, choice), running=True)
        if step is not None:
            yield _show("", video=str(made.path), words=finished(step, made.seconds, made.parts))

    def start_again() -> tuple[Any, ...]:
        return _show(_NONE_YET)

    _kept, chosen, _tensor = given
    running = start.click(on_start, given, film.all, **(heavy(services) | _ONE_AT_A_TIME))
    running.failure(start_again, None, film.all, **quick())
    film.stop.click(start_again, None, film.all, cancels=running, **quick())
    chosen.change(start_again, None, film.all, cancels=running, **quick())


def _show(state: str, *, video: str | None = None, words: str = "", running: bool = False) -> tuple[Any, ...]:
    """Return updates of the widgets of the result; empty ones are hidden."""
    return (
        gr.HTML(state, visible=bool(state)),
        gr.Video(value=video, visible=video is not None),
        words,
        gr.Button(visible=running),
    )
