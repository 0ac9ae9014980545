"""The registry of tasks: complete, unambiguous, and forgiving about spelling."""

from __future__ import annotations

import pytest

from taskbank.errors import InvalidInputError, TaskBankError, UnknownTaskError
from taskbank.tasks.registry import ALIASES, TASKS, DecoderForm, Group, OutputKind, find_task, normalise

# The names of the original TensorFlow checkpoints (https://github.com/StanfordVL/taskonomy).
ORIGINAL_NAMES = {
    "autoencoder": "autoencoding",
    "class_1000": "class_object",
    "class_places": "class_scene",
    "class_places_select": "class_scene",
    "colorization": "colorization",
    "curvature": "curvature",
    "denoise": "denoising",
    "rgb2mist": "depth_euclidean",
    "rgb2depth": "depth_zbuffer",
    "edge3d": "edge_occlusion",
    "edge2d": "edge_texture",
    "ego_motion": "egomotion",
    "fix_pose": "fixated_pose",
    "inpainting_whole": "inpainting",
    "impainting_whole": "inpainting",
    "jigsaw": "jigsaw",
    "keypoint2d": "keypoints2d",
    "keypoint3d": "keypoints3d",
    "non_fixated_pose": "nonfixated_pose",
    "rgb2sfnorm": "normal",
    "point_match": "point_matching",
    "reshade": "reshading",
    "room_layout": "room_layout",
    "segmentsemantic": "segment_semantic",
    "segmentsemantic_rb": "segment_semantic",
    "segment2d": "segment_unsup2d",
    "segment25d": "segment_unsup25d",
    "vanishing_point": "vanishing_point",
    "vanishing_point_well_defined": "vanishing_point",
    "random": "random",
}
TYPED_NAMES = {
    "normals": "normal",
    "Surface Normals": "normal",
    "depth": "depth_zbuffer",
    "Z-Depth": "depth_zbuffer",
    "distance": "depth_euclidean",
    "edges": "edge_texture",
    "Occlusion Edges": "edge_occlusion",
    "keypoints": "keypoints2d",
    "semantic": "segment_semantic",
    "segmentation": "segment_semantic",
    "semantic-segmentation": "segment_semantic",
    "layout": "room_layout",
    "vanishing points": "vanishing_point",
    "matching": "point_matching",
    "pose": "fixated_pose",
    "scene": "class_scene",
    "object class": "class_object",
    "classification": "class_object",
    "curvatures": "curvature",
    "principal_curvature": "curvature",
    "  NORMAL ": "normal",
    "2.5D segmentation": "segment_unsup25d",
}


def test_there_are_26_tasks_of_which_4_are_sources_only() -> None:
    """The counts of the paper."""
    assert len(TASKS) == 26
    source_only = {name for name, task in TASKS.items() if task.source_only}
    assert source_only == {"colorization", "inpainting", "jigsaw", "random"}


def test_every_key_is_the_name_of_its_task() -> None:
    """The registry cannot disagree with itself."""
    assert all(name == task.name == normalise(name) for name, task in TASKS.items())


def test_no_alias_is_another_tasks_name_and_none_maps_twice() -> None:
    """An alias means one thing."""
    spellings = [alias for task in TASKS.values() for alias in task.aliases]
    assert len(spellings) == len(set(spellings)) == len(ALIASES)
    assert not set(spellings) & set(TASKS)
    assert all(alias == normalise(alias) for alias in spellings)


@pytest.mark.parametrize(("typed", "task"), [*ORIGINAL_NAMES.items(), *TYPED_NAMES.items()])
def test_known_spellings_lead_to_their_task(typed: str, task: str) -> None:
    """Original checkpoints' names and what people type."""
    assert find_task(typed).name == task


@pytest.mark.parametrize("name", list(TASKS))
def test_every_figure_label_leads_to_its_task(name: str) -> None:
    """A label copied from a figure of the paper is understood."""
    assert find_task(TASKS[name].label).name == name


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    """The error has the value, the nearest name and the way out."""
    with pytest.raises(UnknownTaskError, match=r"'nromals'.*did you mean normal.*taskbank tasks") as caught:
        find_task("nromals")
    assert caught.value.name == "nromals"
    assert caught.value.nearest[0] == "normal"
    assert issubclass(UnknownTaskError, InvalidInputError)
    assert issubclass(InvalidInputError, ValueError)
    assert issubclass(InvalidInputError, TaskBankError)


@pytest.mark.parametrize("name", ["", "---", "zzzz"])
def test_a_name_like_no_other_still_gets_the_way_out(name: str) -> None:
    """Nothing is guessed where nothing is near."""
    with pytest.raises(UnknownTaskError, match="`taskbank tasks` lists all tasks") as caught:
        find_task(name)
    assert caught.value.nearest == ()


def test_groups_are_those_of_the_papers_tree() -> None:
    """Counts per colour of the figure."""
    counts = {group: sum(task.group == group for task in TASKS.values()) for group in Group}
    assert counts == {
        Group.TWO_D: 6,
        Group.THREE_D: 8,
        Group.SEMANTIC: 3,
        Group.LOW_DIMENSIONAL: 8,
        Group.DENOISING: 1,
        Group.OWN: 0,
    }


def test_numbers_given_by_the_original_tables() -> None:
    """Channels, also where older documents differ (normals 3, vanishing points 9, embeddings 64)."""
    channels = {
        "normal": 3,
        "vanishing_point": 9,
        "segment_unsup2d": 64,
        "segment_unsup25d": 64,
        "curvature": 2,
    }
    channels |= {
        "class_object": 1000,
        "class_scene": 63,
        "segment_semantic": 17,
        "colorization": 313,
        "jigsaw": 100,
    }
    assert {name: TASKS[name].channels for name in channels} == channels
    assert TASKS["depth_zbuffer"].network_range == (0.0, 1.0)
    assert TASKS["normal"].network_range == (-1.0, 1.0)


def test_images_and_encodings_per_prediction() -> None:
    """Pairs, triples and the nine tiles of the jigsaw."""
    assert {name for name, task in TASKS.items() if task.num_images == 2} == {
        "fixated_pose",
        "nonfixated_pose",
        "point_matching",
    }
    assert TASKS["egomotion"].num_images == 3
    assert (TASKS["jigsaw"].num_images, TASKS["jigsaw"].num_encodings) == (1, 9)


def test_every_task_but_random_has_a_decoder() -> None:
    """Random projections are features only."""
    without = [name for name, task in TASKS.items() if task.decoder is DecoderForm.NONE]
    assert without == ["random"]
    assert TASKS["random"].output is OutputKind.REPRESENTATION


def test_ranges_run_from_low_to_high() -> None:
    """Both ranges, where there is one."""
    for task in TASKS.values():
        for limits in (task.value_range, task.network_range):
            assert limits is None or limits[0] < limits[1]
