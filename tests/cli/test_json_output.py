"""Every command with `--json`, once as a process: what it writes to the standard output is JSON, all of it.

A test within this process does not see what a library writes to file descriptor 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network

from taskbank.bank.bank import Bank
from taskbank_cli.app import app as taskbank_app
from taxsolver_cli.app import app as taxsolver_app

LOSSES = "image,normal,edge_texture,self\n1,0.1,0.2,0.3\n2,0.3,0.1,0.2\n"
NETWORKS = "split,network,cost,a,b\nvalidation,one,1,2,3\nvalidation,a,0.5,1,\nvalidation,b,0.5,,1\n"
FEW = "\n".join(
    [
        "split,network,cost,a,b,c",
        *("validation,a,1,1,,", "validation,b,1,,1,", "validation,c,1,,,1", "validation,ab,1,1,2,"),
        *("validation,bc,1,,1,2", "validation,all,1,2,2,2"),
    ]
)

CASES = [
    "taxsolver --targets normals,depth,reshading --budget 2 --k-best 2 --one-more",
    "taxsolver --targets layout,matching --budget 24691.33 --label-cost normals=12345.67,depth=12345.67",
    "taxsolver sweep --targets normals,depth --budgets 1-3 --orders 1,2",
    "taxsolver significance --targets normals,depth --budgets 1,2 --orders 2 --samples 5",
    "taxsolver front --targets normals,depth --max-order 1 --unit images",
    "taxsolver chain --targets normals,depth --budgets 1,2",
    "taxsolver stability --targets normals,depth --budget 1 --noise 0.05 --draws 4",
    "taxsolver rank --targets normals",
    "taxsolver tree",
    "taxsolver group --setting 2 --budget 2.5",
    "taxsolver group --table networks.csv --budget 1 --method worst",
    "taxsolver group --pairwise affinity.csv --measured few.csv --budget 2",
    "taxsolver group --measured few.csv --show losses",
    "taxsolver ahp losses.csv --target reshading",
    "taxsolver compare taskonomy-16k taskonomy-1k",
    "taxsolver affinity list",
    "taxsolver affinity show rooms",
    "taskbank tasks",
    "taskbank info bank",
    "taskbank models",
    "taskbank score --bank bank --images pictures --labels normals=facing",
    "taskbank probe --images pictures --labels light.csv --bank bank --sources normals,reshading --out probe.safetensors",
    "taskbank learn --images pictures --labels light.csv --bank bank --sources normals --steps 4 --out learned",
]


def with_json(command: Any, name: str) -> Iterator[str]:
    """Names of a command and of those below it that have `--json`."""
    if any("--json" in parameter.opts for parameter in command.params):
        yield name
    for below, part in getattr(command, "commands", {}).items():
        yield from with_json(part, f"{name} {below}")


def test_every_command_with_json_is_run_here() -> None:
    apps = {"taxsolver": taxsolver_app, "taskbank": taskbank_app}
    commands = {found for name, app in apps.items() for found in with_json(typer.main.get_command(app), name)}
    run = {max((one for one in commands if f"{case} ".startswith(f"{one} ")), key=len) for case in CASES}
    assert run == commands
    assert len(commands) >= 12


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """The ended process of every case; a few run at a time."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "losses.csv").write_text(LOSSES)
    (folder / "networks.csv").write_text(NETWORKS)
    (folder / "few.csv").write_text(FEW)
    (folder / "affinity.csv").write_text("task,a,b,c\na,,1,2\nb,3,,1\nc,1,2,\n")
    (folder / "pictures").mkdir()
    for number in range(24):
        Image.new("RGB", (32, 32), (10 * number, 0, 0)).save(folder / "pictures" / f"{number}.png")
        facing = np.broadcast_to(np.array([0, 0, -1], np.float32), (32, 32, 3))
        (folder / "facing").mkdir(exist_ok=True)
        np.save(folder / "facing" / f"{number}.npy", facing)
    lights = [f"{number}.png,{number}" for number in range(24)]
    (folder / "light.csv").write_text("\n".join(["file,light", *lights]))
    networks = {task: toy_network(task) for task in ("normal", "reshading")}
    Bank.save(folder / "bank", name="toy", architecture=TOY_COMPACT, networks=networks)

    def run(case: str) -> subprocess.CompletedProcess[str]:
        program, *words = case.split()
        return subprocess.run(
            [sys.executable, "-c", f"from {program}_cli.app import app; app()", *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(CASES, pool.map(run, CASES), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_the_standard_output_is_one_json_object(
    case: str, ended: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    assert (ended[case].returncode, ended[case].stderr) == (0, "")
    assert isinstance(json.loads(ended[case].stdout), dict | list)
