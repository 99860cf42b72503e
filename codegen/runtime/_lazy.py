"""Package members that are imported when they are first named (PEP 562)."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, members: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package.

    Args:
        package: The package's ``__name__``.
        members: Each public name with the submodule that holds it; one that bears the name itself is the member.
    """

    def load(name: str) -> Any:
        if name not in members:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        module = importlib.import_module(f"{package}.{members[name]}")
        member = module if members[name] == name else getattr(module, name)
        setattr(sys.modules[package], name, member)
        return member

    return load
