"""Draw the pictures of predictions that README and the documents show: `python docs/draw_outputs.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

PICTURES = Path(__file__).parent / "pictures" / "outputs"
EXAMPLES = Path(__file__).parents[1] / "cli" / "taskbank_demo" / "examples"
ONE_IMAGE = (
    *("normal", "depth_zbuffer", "curvature", "reshading", "edge_occlusion", "edge_texture", "keypoints3d"),
    *("segment_semantic", "segment_unsup2d", "colorization", "class_scene", "room_layout", "vanishing_point"),
    "jigsaw",
)
WIDTH = 240
QUALITY = 85


def main() -> None:
    """Predict the examples with the bundled bank: a small picture of each kind of output, and all tasks."""
    PICTURES.mkdir(exist_ok=True)
    photo, pair = EXAMPLES / "sitting_room.jpg", [EXAMPLES / f"lounge_{number}.jpg" for number in (1, 2)]
    with TemporaryDirectory() as folder:
        predict = [
            sys.executable,
            "-c",
            "from taskbank_cli.app import app; app()",
            "predict",
            "--save",
            "png",
        ]
        subprocess.run(
            [*predict, str(photo), "--tasks", ",".join(ONE_IMAGE), "--out", f"{folder}/one"], check=True
        )
        together = ["--together", *map(str, pair), "--tasks", "fixated_pose,point_matching"]
        subprocess.run([*predict, *together, "--out", f"{folder}/two"], check=True)
        for path in sorted(Path(folder).rglob("*.png")):
            if path.stem in {*ONE_IMAGE, "fixated_pose", "point_matching"}:
                picture = Image.open(path).convert("RGB")
                picture.thumbnail((WIDTH, WIDTH))
                picture.save(PICTURES / f"{path.stem}.jpg", quality=QUALITY)
        subprocess.run([*predict, str(photo), "--tasks", "all", "--out", f"{folder}/all"], check=True)
        (sheet,) = Path(folder, "all").rglob("all_tasks.png")
        Image.open(sheet).convert("RGB").save(PICTURES.parent / "all_tasks.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
