"""Loading classes of transformers: safetensors only, no code from repositories, no missing weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from taskbank.bank.catalogue import Model
from taskbank.errors import BankFormatError, InvalidInputError, first_line
from taskbank.foundation.files import Files


def load_model(model: Model, files: Files, allowed: frozenset[str]) -> Any:
    """Load a model of transformers with its weights, float32 on the CPU.

    Args:
        model: the row of the catalogue.
        files: files of the model.
        allowed: classes that the adapter supports.

    Raises:
        InvalidInputError: the adapter does not support the class.
        BankFormatError: the files are those of another class, weights are missing or do not fit.
    """
    import transformers

    if model.kind not in allowed:
        raise InvalidInputError(
            f"{model.name}: no adapter for the class {model.kind!r}: for {', '.join(model.tasks)} there are "
            f"{', '.join(sorted(allowed))}"
        )
    kind: Any = getattr(transformers, model.kind, None)
    if kind is None:
        raise InvalidInputError(
            f"{model.name}: transformers {transformers.__version__} has no class {model.kind!r}: update it"
        )
    stated = files.config.get("model_type")
    if stated != kind.config_class.model_type:
        raise BankFormatError(
            f"{model.id} is a model of type {stated!r}, not {kind.config_class.model_type!r} as {model.kind} "
            "is: name its own class in the catalogue"
        )
    network, info = load_pretrained(kind, files, f"{model.id} cannot be loaded as {model.kind}")
    if missing := sorted(info["missing_keys"]):
        raise BankFormatError(
            f"{model.id} lacks {len(missing)} weight(s) of {model.kind}, such as {missing[0]}: "
            "it is another model"
        )
    return network.float()


def load_pretrained(kind: Any, files: Files, fault: str) -> tuple[Any, dict[str, Any]]:
    """Load weights into a class of transformers: from safetensors, without code of the repository.

    Args:
        kind: the class.
        files: files of the model.
        fault: beginning of the message if that fails.

    Returns:
        the model, and what transformers says about the loading, such as `missing_keys`.

    Raises:
        BankFormatError: the files do not fit the class, or are damaged.
    """
    try:
        with quiet():
            model, info = kind.from_pretrained(
                str(files.folder),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises many types, for configurations, files and shapes
        raise BankFormatError(f"{fault}: {first_line(error)}") from error
    return model, info


def load_processor(model: Model, files: Files, kind: str = "AutoImageProcessor") -> Any:
    """Load the preprocessor of pictures (and text) that comes with a model.

    Raises:
        BankFormatError: the repository has no preprocessor, or it cannot be loaded.
    """
    import transformers

    try:
        with quiet():
            return getattr(transformers, kind).from_pretrained(
                str(files.folder), trust_remote_code=False, local_files_only=True
            )
    except Exception as error:  # of many types
        raise BankFormatError(
            f"{model.id}: its preprocessor cannot be loaded: {first_line(error)}"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence progress bars and warnings of transformers: the raised error reports a failure once."""
    import transformers

    logging: Any = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
