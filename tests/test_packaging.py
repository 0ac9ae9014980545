"""The content of the built distributions, and the command after every way of installing them."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECTS = {"taxsolver": ROOT / "taxsolver", "taskbank": ROOT}


def _build(project: Path, kind: str, out: Path) -> Path:
    """One distribution, by the build backend itself, so that no package index is needed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session", params=PROJECTS)
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of each project, built from the checkout."""
    return zipfile.ZipFile(_build(PROJECTS[request.param], "wheel", tmp_path_factory.mktemp(request.param)))


@pytest.fixture(scope="session")
def taxsolver_wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(_build(PROJECTS["taxsolver"], "wheel", tmp_path_factory.mktemp("taxsolver-wheel")))


def _metadata(wheel: zipfile.ZipFile) -> list[str]:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return [str(value) for value in Parser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist", [])]


def test_a_wheel_holds_only_its_packages(wheel: zipfile.ZipFile) -> None:
    project = Path(str(wheel.filename)).name.split("-")[0]
    tops = {name.split("/")[0] for name in wheel.namelist()}
    packages = {project, f"{project}_cli"} | ({"taskbank_demo"} if project == "taskbank" else set())
    assert {top for top in tops if not top.endswith(".dist-info")} == packages
    assert not [name for name in wheel.namelist() if "test" in name.casefold() or "__pycache__" in name]


def test_a_wheel_names_its_command_licence_and_types(wheel: zipfile.ZipFile) -> None:
    project = Path(str(wheel.filename)).name.split("-")[0]
    names = wheel.namelist()
    (entry,) = (name for name in names if name.endswith("entry_points.txt"))
    assert f"{project} = {project}_cli.app:app" in wheel.read(entry).decode()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert f"{project}/py.typed" in names


def test_the_taxsolver_wheel_holds_its_data(taxsolver_wheel: zipfile.ZipFile) -> None:
    data = {name for name in taxsolver_wheel.namelist() if name.startswith("taxsolver/data/")}
    tensors = {f"taxsolver/data/taskonomy-{which}.safetensors" for which in ("16k", "1k", "main")}
    tables = {f"taxsolver/data/task_grouping_setting{number}.csv" for number in (1, 2, 3, 4)}
    bundled = (ROOT / "taskbank" / "src" / "taskbank" / "banks" / "rooms" / "bank.json").is_file()
    own = {"taxsolver/data/rooms.safetensors"} if bundled else set()
    assert data == tensors | tables | own


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_bundled_bank_is_in_both_distributions(kind: str, tmp_path: Path) -> None:
    bank = ROOT / "taskbank" / "src" / "taskbank" / "banks" / "rooms"
    if not (bank / "bank.json").is_file():
        pytest.skip("no bank is bundled with this version")
    built = _build(ROOT, kind, tmp_path)
    if kind == "wheel":
        names = set(zipfile.ZipFile(built).namelist())
    else:
        with tarfile.open(built) as archive:
            names = {name.partition("/taskbank/src/")[2] for name in archive.getnames()}
    held = {path.relative_to(bank.parents[2]).as_posix() for path in bank.rglob("*") if path.is_file()}
    assert held <= names
    assert built.stat().st_size < 50_000_000


def test_there_is_no_torch_behind_taxsolver(taxsolver_wheel: zipfile.ZipFile) -> None:
    needed = {Requirement(each).name for each in _metadata(taxsolver_wheel) if "extra" not in each}
    assert needed == {"numpy", "highspy", "networkx", "safetensors", "typer", "rich"}
    for name in taxsolver_wheel.namelist():
        if name.endswith(".py"):
            source = taxsolver_wheel.read(name).decode()
            assert "import torch" not in source, name
            assert "taskbank" not in source, name


LOCK = ROOT / "requirements.lock"
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}


def _asked() -> Iterator[Requirement]:
    """Everything that the two projects ask for, with all extras, and what builds them."""
    for project in PROJECTS.values():
        told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        extras = told["project"]["optional-dependencies"].values()
        for group in (told["build-system"]["requires"], told["project"]["dependencies"], *extras):
            yield from (Requirement(each) for each in group if not each.startswith("taxsolver"))


def _locked(python: str, system: str) -> dict[str, Version]:
    """Return the versions that the lock installs on a Python and a system: package -> version."""
    where: dict[str, str] = {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": SYSTEMS[system][0],
        "os_name": SYSTEMS[system][1],
    }
    pins: dict[str, Version] = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\"))
            if pin.marker is None or pin.marker.evaluate(where):
                (only,) = pin.specifier
                assert only.operator == "==", line
                assert pin.name not in pins, line
                pins[canonicalize_name(pin.name)] = Version(only.version)
    return pins


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_all_that_the_projects_ask_for(python: str, system: str) -> None:
    pins = _locked(python, system)
    for asked in _asked():
        name = canonicalize_name(asked.name)
        assert name in pins, f"{asked} is not in {LOCK.name}: make lock"
        assert asked.specifier.contains(pins[name]), f"{LOCK.name} has {name} {pins[name]}, not {asked}"


def test_every_package_of_the_lock_has_its_hashes() -> None:
    entries = re.split(r"\n(?=[^ #])", LOCK.read_text(encoding="utf-8"))[1:]
    assert len(entries) > 100
    for entry in entries:
        first, *hashes = entry.replace("\\\n", "").split("--hash=sha256:")
        assert "==" in first
        assert hashes, first
        assert all(re.fullmatch(r"[0-9a-f]{64}", each.strip()) for each in hashes), first


def test_the_readme_names_the_versions_that_are_known_to_work() -> None:
    """The oldest are the bounds, and the others those of the lock."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| package \| oldest .*\n\|---.*\n((?:\|.*\n)+)", readme)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    bounds: dict[str, set[str]] = {}
    for asked in _asked():
        bounds.setdefault(canonicalize_name(asked.name), set()).update(
            bound.version for bound in asked.specifier if bound.operator == ">="
        )
    assert len(rows) >= 10
    for package, oldest, *locked in rows:
        name = canonicalize_name(package)
        assert bounds[name] == {oldest}, f"{name}: the bounds are {bounds[name]}"
        assert locked == [str(_locked(python, "linux")[name]) for python in ("3.11", "3.13")], name


def test_no_dependency_is_pinned(wheel: zipfile.ZipFile) -> None:
    for requirement in _metadata(wheel):
        assert "==" not in requirement.split(";")[0], requirement
        assert "<" not in requirement.split(";")[0], requirement


def test_the_sdist_of_taxsolver_builds_the_same_wheel(
    taxsolver_wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    sdist = _build(PROJECTS["taxsolver"], "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    rebuilt = zipfile.ZipFile(_build(unpacked, "wheel", tmp_path / "wheel"))
    assert sorted(rebuilt.namelist()) == sorted(taxsolver_wheel.namelist())


def test_the_wheel_runs_from_a_folder_of_its_own(taxsolver_wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    taxsolver_wheel.extractall(tmp_path)
    program = (
        "import taxsolver, taxsolver_cli.app, sys; "
        f"assert taxsolver.__file__.startswith({str(tmp_path)!r}), taxsolver.__file__; "
        f"assert taxsolver_cli.app.__file__.startswith({str(tmp_path)!r}); "
        "print(taxsolver.solve('taskonomy-16k', 'normals', 1).sources)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "('normal',)"


@pytest.mark.network
@pytest.mark.parametrize("extra", ["", "[plot]"])
def test_pip_installs_from_a_git_address(extra: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    # A host must be named: pip takes no requirement whose address has none.
    address = f"taxsolver{extra} @ git+file://localhost{ROOT}#subdirectory=taxsolver"
    subprocess.run([python, "-m", "pip", "install", "--quiet", address], check=True, timeout=600)
    command = [str(tmp_path / "venv" / "bin" / "taxsolver"), "--targets", "normals,depth", "--budget", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "Proven optimal" in done.stdout
