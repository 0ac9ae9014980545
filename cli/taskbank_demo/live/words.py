"""Short descriptions of the tasks for newcomers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "autoencoding": "the picture again, through a narrow code",
        "class_object": "what thing is in view",
        "class_scene": "what kind of place this is",
        "colorization": "colours guessed from grey",
        "curvature": "how surfaces bend",
        "denoising": "the picture without its noise",
        "depth_euclidean": "distance from the camera's centre",
        "depth_zbuffer": "distance along the view",
        "edge_occlusion": "where one thing hides another",
        "edge_texture": "edges of colour and pattern",
        "egomotion": "the camera's way through three pictures",
        "fixated_pose": "how the camera moved around one point",
        "inpainting": "the hidden middle, filled in",
        "jigsaw": "tiles put back in order",
        "keypoints2d": "corners that stand out",
        "keypoints3d": "points that stand out in space",
        "nonfixated_pose": "how the camera moved, freely",
        "normal": "which way surfaces face",
        "point_matching": "whether both look at one point",
        "reshading": "the scene in white, lit from the camera",
        "room_layout": "the box of the room",
        "segment_semantic": "which thing each pixel shows",
        "segment_unsup25d": "parts by shape and colour",
        "segment_unsup2d": "parts by colour and place",
        "vanishing_point": "directions of walls and floor",
    }
)
"""Canonical name -> description of the picture."""
