"""The names that the package exports, and the cost of importing it."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import taxsolver
from taxsolver import MissingExtraError, TaxSolverError
from taxsolver.figures.style import house_style

HEAVY = ("torch", "matplotlib", "scipy", "networkx", "pandas", "typer", "rich")


def run(program: str, *arguments: str) -> str:
    """Return the output of a program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_exported_can_be_imported_and_says_what_it_is() -> None:
    assert list(taxsolver.__all__) == sorted(taxsolver.__all__)
    for name in taxsolver.__all__:
        thing = getattr(taxsolver, name)
        assert inspect.getdoc(thing), name


def test_everything_public_is_exported() -> None:
    public = {
        name
        for name, thing in vars(taxsolver).items()
        if not name.startswith("_") and not inspect.ismodule(thing) and name != "Transfer"
    }
    assert public <= set(taxsolver.__all__)
    assert "Transfer" in taxsolver.__all__


def test_importing_and_planning_need_nothing_heavy() -> None:
    program = (
        "import sys, taxsolver\n"
        "taxsolver.solve('taskonomy-16k', 'normals', 1)\n"
        "taxsolver.rank('taskonomy-16k', targets='normals')\n"
        f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    assert run(program).strip() == "[]"


def test_neither_torch_nor_taskbank_is_ever_imported() -> None:
    program = (
        "import sys, pkgutil, importlib, taxsolver\n"
        "for module in pkgutil.walk_packages(taxsolver.__path__, 'taxsolver.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(sorted({'torch', 'taskbank', 'training'} & set(sys.modules)))"
    )
    assert run(program).strip() == "[]"


def test_everything_but_pictures_and_trees_works_without_the_extra(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "for name in ('scipy', 'matplotlib', 'torch'):\n"
        "    sys.modules[name] = None\n"
        "import taxsolver\n"
        "plan = taxsolver.solve('taskonomy-16k', 'normals,depth', 2, k_best=2)\n"
        "taxsolver.one_more_unit(plan)\n"
        "taxsolver.sweep('taskonomy-16k', [1, 2], [1])\n"
        "taxsolver.significance('taskonomy-16k', [2], [1], samples=5)\n"
        "taxsolver.rank('taskonomy-1k')\n"
        "taxsolver.ahp([[1, 2], [2, 1]])\n"
        "taxsolver.save_affinity(taxsolver.load_affinity(), sys.argv[1])\n"
        "for call in (taxsolver.similarity, lambda name: taxsolver.compare(name, name)):\n"
        "    try:\n"
        "        call('taskonomy-1k')\n"
        "    except taxsolver.MissingExtraError as error:\n"
        "        print(error.name)\n"
    )
    assert run(program, str(tmp_path / "copy.safetensors")).split() == ["scipy", "scipy"]


def test_without_matplotlib_a_picture_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(
            MissingExtraError,
            match=r"a picture needs matplotlib, .*: run  pip install '\./taxsolver\[plot\]'",
        ),
        house_style(),
    ):
        pass


def test_every_error_is_a_taxsolver_error() -> None:
    errors = [thing for name, thing in vars(taxsolver).items() if name.endswith("Error")]
    assert len(errors) == 9
    assert all(issubclass(error, TaxSolverError) for error in errors)


def test_the_example_of_the_package_is_true() -> None:
    failed, tried = doctest.testmod(taxsolver)
    assert (failed, tried) == (0, 3)


def test_the_version_is_that_of_the_distribution() -> None:
    assert version("taxsolver") == taxsolver.__version__


def test_the_package_is_typed_and_carries_its_tensors() -> None:
    folder = Path(inspect.getfile(taxsolver)).parent
    assert (folder / "py.typed").is_file()
    assert len(list((folder / "data").glob("*.safetensors"))) == len(taxsolver.available_affinities())
