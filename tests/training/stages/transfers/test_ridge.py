"""Ridge read-outs of numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.transfers.toy_run import toy_config
from tests.training.toy_store import toy_store
from training.stages.transfers.reading import Reading
from training.stages.transfers.ridge import ridge_errors

from taskbank.learning.losses import ERROR_SCALE
from taskbank.learning.parts import Rows
from taskbank.tasks.registry import find_task


@pytest.mark.parametrize("task", ["fixated_pose", "egomotion"])
def test_errors_of_poses_are_in_the_units_of_their_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    store = toy_store(tmp_path, rooms=16, gaps=False)
    reading = Reading(find_task(task), store, tmp_path, toy_config(), torch.device("cpu"))
    told = {"normal": 0, "curvature": 4}  # source -> the number that it knows: an angle, a step upwards

    def codes(sets: list[tuple[str]], rows: Rows) -> torch.Tensor:
        values = reading.target(rows).values
        known = torch.stack([values[:, told[source]] for (source,) in sets])
        return known[..., None, None, None, None].expand(-1, -1, find_task(task).num_images, 8, 2, 2)

    monkeypatch.setattr(reading, "codes", codes)
    errors = ridge_errors(reading, reading, list(told), len(reading))
    values = reading.target(np.arange(0, len(reading))).values
    scale = values.new_tensor(ERROR_SCALE[task]).repeat(values.shape[1] // 6)
    spread = (values * scale).var(0)
    assert spread[0] > 10 * spread[4]
    assert errors["normal"] < errors["curvature"]
