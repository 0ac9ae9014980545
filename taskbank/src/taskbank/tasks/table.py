"""The table of the 26 tasks; use `taskbank.tasks.registry` to find them.

The values are those of the original networks (Zamir et al., "Taskonomy", CVPR 2018, and
https://github.com/StanfordVL/taskonomy). Canonical names are the dataset's folder names, or those of the
`visualpriors` package for tasks without a folder.
"""

from __future__ import annotations

from taskbank.tasks.kinds import DecoderForm, Group, Loss, OutputKind, Task

_SIGNED = (-1.0, 1.0)
_UNIT = (0.0, 1.0)
_PAIR = 2
_DEPTH = (0.0, 65535 / 512)  # metres; 16 bits in steps of 1/512 m
_CURVATURE = (-1 / 0.03, 1 / 0.03)  # 1/m; labels are clipped at a radius of 3 cm


def _rgb(name: str, label: str, group: Group, *aliases: str, source_only: bool = False) -> Task:
    """Make a task whose output is the image or an improved version of it."""
    return Task(
        name=name,
        label=label,
        group=group,
        aliases=aliases,
        output=OutputKind.IMAGE,
        channels=3,
        value_range=_UNIT,
        network_range=_SIGNED,
        loss=Loss.L1,
        decoder=DecoderForm.PIXEL,
        source_only=source_only,
    )


def _heat_map(name: str, label: str, group: Group, highest: float, *aliases: str) -> Task:
    """Make a task with one response per pixel; `highest` is a share of the 16- or 8-bit scale on disk."""
    return Task(
        name=name,
        label=label,
        group=group,
        aliases=aliases,
        output=OutputKind.HEAT_MAP,
        channels=1,
        value_range=(0.0, highest),
        network_range=_SIGNED,
        loss=Loss.L1,
        decoder=DecoderForm.PIXEL,
    )


def _depth(name: str, label: str, *aliases: str) -> Task:
    """Make a task in metres; the network learns the logarithm of the 16-bit label."""
    return Task(
        name=name,
        label=label,
        group=Group.THREE_D,
        aliases=aliases,
        output=OutputKind.DEPTH,
        channels=1,
        unit="m",
        value_range=_DEPTH,
        network_range=_UNIT,
        loss=Loss.L1,
        decoder=DecoderForm.PIXEL,
    )


def _classes(name: str, label: str, num_classes: int, *aliases: str) -> Task:
    """Make a task that classifies the whole image, with probabilities."""
    return Task(
        name=name,
        label=label,
        group=Group.SEMANTIC,
        aliases=aliases,
        output=OutputKind.CLASSES,
        channels=num_classes,
        value_range=_UNIT,
        loss=Loss.CROSS_ENTROPY,
        decoder=DecoderForm.FULLY_CONNECTED,
        hidden=(2048,),
    )


def _embedding(name: str, label: str, group: Group, *aliases: str) -> Task:
    """Make a task of pixel embeddings: pixels of one segment are close in 64 dimensions."""
    return Task(
        name=name,
        label=label,
        group=group,
        aliases=aliases,
        output=OutputKind.EMBEDDING,
        channels=64,
        value_range=_SIGNED,
        network_range=_SIGNED,
        loss=Loss.METRIC,
        decoder=DecoderForm.PIXEL,
    )


def _numbers(name: str, label: str, output: OutputKind, *aliases: str, unit: str, directions: bool) -> Task:
    """Make a task of nine numbers about the room."""
    return Task(
        name=name,
        label=label,
        group=Group.LOW_DIMENSIONAL,
        aliases=aliases,
        output=output,
        channels=9,
        unit=unit,
        value_range=_SIGNED if directions else None,
        network_range=_SIGNED if directions else None,
        loss=Loss.L2,
        decoder=DecoderForm.FULLY_CONNECTED,
        hidden=(2048,),
    )


def _pose(name: str, label: str, hidden: tuple[int, ...], *aliases: str, num_images: int = _PAIR) -> Task:
    """Make a task of relative camera poses: three static-axes Euler angles and a translation each."""
    pair = num_images == _PAIR
    return Task(
        name=name,
        label=label,
        group=Group.LOW_DIMENSIONAL,
        aliases=aliases,
        output=OutputKind.POSE,
        channels=6 * (num_images - 1),
        unit="rad, m",
        loss=Loss.POSE_NORM if pair else Loss.CYCLE,
        decoder=DecoderForm.SIAMESE if pair else DecoderForm.THREE_IMAGE,
        hidden=hidden,
        num_images=num_images,
    )


ALL_TASKS = (
    _rgb("autoencoding", "Autoencoding", Group.TWO_D, "autoencoder", "autoencode", "reconstruction"),
    _classes(
        "class_object", "Object Class. (1000)", 1000,
        "class_1000", "object_class_1000", "object_class", "object_classes", "object_classification",
        "classification", "classify", "imagenet", "class_object_1000",
    ),
    _classes(
        "class_scene", "Scene Class", 63,
        "class_places", "class_places_select", "scene_class", "scene_classes", "scene_classification",
        "scene", "places",
    ),
    Task(
        name="colorization",
        label="Colorization",
        group=Group.TWO_D,
        aliases=(
            "colourisation", "colourization", "colorisation", "colorize", "colourise", "colour", "color",
        ),
        output=OutputKind.COLOUR_DISTRIBUTION,
        channels=313,
        value_range=_UNIT,
        loss=Loss.CROSS_ENTROPY,
        decoder=DecoderForm.COLORIZATION,
        source_only=True,
    ),
    Task(
        name="curvature",
        label="Curvature",
        group=Group.THREE_D,
        aliases=("curvatures", "principal_curvature", "principal_curvatures"),
        output=OutputKind.CURVATURE,
        channels=2,
        unit="1/m",
        value_range=_CURVATURE,
        loss=Loss.L2,
        decoder=DecoderForm.PIXEL,
    ),
    _rgb("denoising", "Denoising", Group.DENOISING, "denoise", "denoising_autoencoder", "denoiser"),
    _depth(
        "depth_euclidean", "Distance",
        "rgb2mist", "mist", "distance", "euclidean_distance", "euclidean_depth", "depth_euclid",
    ),
    _depth(
        "depth_zbuffer", "Z-Depth",
        "rgb2depth", "depth", "z_depth", "zdepth", "zbuffer", "z_buffer", "depth_z",
    ),
    _heat_map(
        "edge_occlusion", "Occlusion Edges", Group.THREE_D, 0.00625,
        "edge3d", "edge_3d", "edges3d", "edges_3d", "3d_edge", "3d_edges", "occlusion", "occlusion_edge",
        "occlusion_edges", "edges_occlusion",
    ),
    _heat_map(
        "edge_texture", "2D Edges", Group.TWO_D, 0.08,
        "edge2d", "edge_2d", "edges2d", "edges_2d", "2d_edge", "2d_edges", "edge", "edges", "texture_edge",
        "texture_edges", "edges_texture",
    ),
    _pose(
        "egomotion", "Egomotion", (1024, 1024),
        "ego_motion", "triplet_fixated_camera_pose", "camera_motion", num_images=3,
    ),
    _pose(
        "fixated_pose", "Cam. Pose (fix)", (2048,),
        "fix_pose", "pose_fix", "pose_fixated", "cam_pose_fix", "camera_pose_fix", "camera_pose_fixated",
        "fixated_camera_pose", "pairwise_fixated_camera_pose", "pose", "camera_pose", "relative_pose",
    ),
    _rgb(
        "inpainting", "In-Painting", Group.TWO_D,
        "inpainting_whole", "impainting_whole", "impainting", "in_painting", "inpaint",
        source_only=True,
    ),
    Task(
        name="jigsaw",
        label="Jigsaw",
        group=Group.LOW_DIMENSIONAL,
        aliases=("jigsaw_puzzle", "puzzle", "permutation"),
        output=OutputKind.PERMUTATION,
        channels=100,
        value_range=_UNIT,
        loss=Loss.CROSS_ENTROPY,
        decoder=DecoderForm.SIAMESE,
        hidden=(2048, 2048),
        num_tiles=9,
        source_only=True,
    ),
    _heat_map(
        "keypoints2d", "2D Keypoint", Group.TWO_D, 0.005,
        "keypoint2d", "keypoint_2d", "keypoints_2d", "2d_keypoint", "2d_keypoints", "keypoint", "keypoints",
    ),
    _heat_map(
        "keypoints3d", "3D Keypoint", Group.THREE_D, 1.0,
        "keypoint3d", "keypoint_3d", "keypoints_3d", "3d_keypoint", "3d_keypoints",
    ),
    _pose(
        "nonfixated_pose", "Cam. Pose (nonfix)", (2048, 2048),
        "non_fixated_pose", "nonfix_pose", "non_fix_pose", "pose_nonfix", "pose_nonfixated",
        "cam_pose_nonfix", "camera_pose_nonfix", "camera_pose_nonfixated", "nonfixated_camera_pose",
        "non_fixated_camera_pose", "pairwise_nonfixated_camera_pose",
    ),
    Task(
        name="normal",
        label="Normals",
        group=Group.THREE_D,
        aliases=("rgb2sfnorm", "sfnorm", "normals", "surface_normal", "surface_normals"),
        output=OutputKind.NORMALS,
        channels=3,
        value_range=_SIGNED,
        network_range=_SIGNED,
        loss=Loss.L1,
        decoder=DecoderForm.PIXEL,
    ),
    Task(
        name="point_matching",
        label="Matching",
        group=Group.LOW_DIMENSIONAL,
        aliases=("point_match", "point_matches", "match", "matches", "matching"),
        output=OutputKind.MATCH,
        channels=2,
        value_range=_UNIT,
        loss=Loss.CROSS_ENTROPY,
        decoder=DecoderForm.SIAMESE,
        hidden=(256,),
        num_images=2,
    ),
    _heat_map("reshading", "Reshading", Group.THREE_D, 1.0, "reshade", "shading", "relighting"),
    _numbers(
        "room_layout", "Layout", OutputKind.LAYOUT,
        "layout", "room_box", "roomlayout",
        unit="m, rad", directions=False,
    ),
    Task(
        name="segment_semantic",
        label="Semantic Segm.",
        group=Group.SEMANTIC,
        aliases=(
            "segmentsemantic", "segmentsemantic_rb", "segment_semantic_rb", "semantic", "semantics",
            "semantic_segm", "semantic_segmentation", "segmentation_semantic", "segmentation", "semseg",
        ),
        output=OutputKind.SEMANTIC_MAP,
        channels=17,
        value_range=_UNIT,
        loss=Loss.CROSS_ENTROPY,
        decoder=DecoderForm.PIXEL,
    ),
    _embedding(
        "segment_unsup2d", "2D Segm.", Group.TWO_D,
        "segment2d", "segment_2d", "2d_segm", "2d_segmentation", "segmentation_2d", "segmentation2d",
    ),
    _embedding(
        "segment_unsup25d", "2.5D Segm.", Group.THREE_D,
        "segment25d", "segment_25d", "segment_2_5d", "2_5d_segm", "2_5d_segmentation", "25d_segmentation",
        "segmentation_25d", "segmentation_2_5d", "segmentation25d", "segmentation_3d",
    ),
    _numbers(
        "vanishing_point", "Vanishing Pts.", OutputKind.VANISHING_POINTS,
        "vanishing_points", "vanishing_pts", "vanishing_point_well_defined", "vanishing", "vp",
        unit="1", directions=True,
    ),
    Task(
        name="random",
        label="Random Proj.",
        group=Group.LOW_DIMENSIONAL,
        aliases=("random_proj", "random_projection", "random_projections"),
        output=OutputKind.REPRESENTATION,
        channels=8,
        loss=Loss.NONE,
        decoder=DecoderForm.NONE,
        source_only=True,
    ),
)  # fmt: skip
"""The 26 tasks, in the order of the original tables."""
