"""Names that `import taskbank` gives, and the cost of importing it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import taskbank
from taskbank import errors

HEAVY = ("torch", "numpy", "PIL", "huggingface_hub", "safetensors")


def modules_after(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_every_exported_name_can_be_imported() -> None:
    """`__all__`, `dir` and the lazy table agree."""
    assert dir(taskbank) == sorted(taskbank.__all__)
    assert all(getattr(taskbank, name) is not None for name in taskbank.__all__)


def test_every_error_is_public() -> None:
    """Whoever calls `load` can catch what it raises."""
    held = {name for name in vars(errors) if name.endswith("Error")}
    assert held <= set(taskbank.__all__)


def test_no_module_hides_an_exported_name() -> None:
    """Importing a module of the same name would put it in the name's place, from the second use on."""
    modules = {module.name for module in pkgutil.iter_modules(taskbank.__path__)}
    assert not modules & set(taskbank.__all__)


def test_an_absent_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = taskbank.nothing


def test_the_registry_imports_nothing_heavy() -> None:
    """`import taskbank` and `taskbank.tasks.registry` stay cheap."""
    loaded = modules_after("import taskbank, taskbank.tasks.registry")
    assert not loaded & set(HEAVY)
