"""A predictor that was used, and then a fork, as by the workers of a DataLoader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.taskbank.toy import TOY_COMPACT, toy_network

from taskbank.bank.bank import Bank

PROGRAM = """
import os, signal, sys
import numpy as np, torch
import taskbank
torch.set_num_threads(2)
predictor = taskbank.load("normal", bank=sys.argv[1], device="cpu")
photos = [np.full((300, 300, 3), value, np.uint8) for value in range(8)]
here = predictor.predict(photos)
child = os.fork()
if not child:
    signal.alarm(100)
    there = predictor.predict(photos)
    os._exit(not np.allclose(here[3].array, there[3].array, atol=1e-5))
assert os.waitpid(child, 0)[1] == 0
assert torch.get_num_threads() == 2

class Normals(torch.utils.data.Dataset):
    def __len__(self):
        return 4
    def __getitem__(self, number):
        return predictor.predict(photos[number]).array.copy()

loader = torch.utils.data.DataLoader(Normals(), num_workers=2, multiprocessing_context="fork", timeout=100)
assert len(list(loader)) == 4
"""


def test_children_of_a_fork_predict_the_same(tmp_path: Path) -> None:
    """With two threads, whose pool does not come through the fork."""
    bank = Bank.save(
        tmp_path / "bank", name="toy", architecture=TOY_COMPACT, networks={"normal": toy_network("normal")}
    )
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, bank.where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
