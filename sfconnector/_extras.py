"""Packages that not everybody needs, imported when they are first used."""

import importlib
from typing import Any


def optional(module: str, extra: str) -> Any:
    """Import a package that one of the extras brings.

    Raises:
        ImportError: It is not installed; the text tells how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f'{module} is not installed: pip install "sfconnector[{extra}]"', name=module) from error
