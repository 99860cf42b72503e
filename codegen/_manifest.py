"""Sums over what generation reads and writes: proof of being in step where the generator is not installed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

NAME = "_manifest.json"
_CODEGEN = Path(__file__).parent
_SPECS = {".wsdl", ".yaml"}
_READ = {".py", ".jinja", ".yaml"}


def write(specs: Mapping[str, bytes], outputs: Mapping[str, bytes]) -> bytes:
    """The manifest of a generation.

    Args:
        specs: File name → content.
        outputs: Path inside the package → content.
    """
    sums = {"inputs": _sums(_inputs(specs)), "outputs": _sums(outputs)}
    return (json.dumps(sums, indent=2, sort_keys=True) + "\n").encode()


def differences(specs_folder: Path, package: Path) -> list[str]:
    """Every input and output that is not as it was when the package was generated.

    Args:
        specs_folder: Holds the ``*.yaml`` and the ``*.wsdl``.
        package: The generated package.
    """
    specs = {path.name: path.read_bytes() for path in specs_folder.iterdir() if path.suffix in _SPECS}
    current = {"inputs": _sums(_inputs(specs)), "outputs": _sums(package_files(package))}
    recorded = json.loads((package / NAME).read_bytes())
    return sorted(
        f"{kind}: {path}"
        for kind, sums in current.items()
        for path in sums.keys() | recorded[kind].keys()
        if sums.get(path) != recorded[kind].get(path)
    )


def package_files(package: Path) -> dict[str, bytes]:
    """The content of every file of a package but the manifest and what Python caches."""
    return {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path != package / NAME
    }


def _inputs(specs: Mapping[str, bytes]) -> dict[str, bytes]:
    code = {
        f"codegen/{path.relative_to(_CODEGEN).as_posix()}": path.read_bytes()
        for path in _CODEGEN.rglob("*")
        if path.suffix in _READ
    }
    return {**code, **{f"specs/{name}": content for name, content in specs.items()}}


def _sums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
