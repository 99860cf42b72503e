"""Files in, files out: reading the specs, formatting, comparing, and replacing the package as a whole."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import attrs

from codegen import _manifest
from codegen._bump import bump_spec, bump_wsdl, check_version
from codegen._errors import CodegenError
from codegen._render import render
from codegen._spec import read_spec
from codegen._wsdl import FILE

PACKAGE = "sfconnector_generated"
# Named in .gitignore.
_STAGING = ".staging-"
# -P: the folder it runs in holds modules called types and errors.
_RUFF = [sys.executable, "-P", "-m", "ruff"]
# The nearest pyproject and ruff's defaults must not decide the bytes.
_RULES = [
    *("--isolated", "--no-cache", "--line-length=120", "--target-version=py311"),
    *("--config=lint.isort.split-on-trailing-comma=false", "--config=format.skip-magic-trailing-comma=true"),
]


@attrs.frozen
class Project:
    """A folder with ``specs/`` and ``generated/``.

    Args:
        root: The folder.
        name: Of the package in ``generated/``.
    """

    root: Path
    name: str = PACKAGE

    @property
    def specs(self) -> Path:
        """The folder of the specs."""
        return self.root / "specs"

    @property
    def package(self) -> Path:
        """The generated package."""
        return self.root / "generated" / self.name

    def generate(self, api_version: str | None = None, wsdl: Path | None = None) -> None:
        """Write the package anew.

        Args:
            api_version: The version to set specs and WSDL to first.
            wsdl: A partner WSDL to take in place of the one in ``specs/`` from now on.

        Raises:
            CodegenError: Something is wrong; specs and package are as they were.
        """
        sources = self._sources()
        changed = {} if wsdl is None else {self.specs / FILE: _text(wsdl)}
        if api_version is not None:
            check_version("--api-version", api_version)
            changed = self._bumped({**sources, **changed}, api_version)
        self.package.parent.mkdir(exist_ok=True)
        # On the file system of the package, so that it can be renamed into place.
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=self.package.parent) as folder:
            try:
                fresh = self._build({**sources, **changed}, Path(folder))
            except CodegenError as error:
                if wsdl is None or error.where != f"specs/{FILE}":
                    raise
                # Whoever gave a file looks for what is wrong in that one.
                raise CodegenError(str(wsdl), error.problems) from error
            self._install(fresh, changed)
        # What a generation left that was killed.
        for leftover in self.package.parent.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover)

    def differences(self) -> list[str]:
        """The files that a new generation would change, add or remove.

        Raises:
            CodegenError: Generation fails.
        """
        with tempfile.TemporaryDirectory() as folder:
            fresh = self._build(self._sources(), Path(folder))
            new, old = _with_manifest(fresh), _with_manifest(self.package)
        states = {path: _state(old.get(path), new.get(path)) for path in old.keys() | new.keys()}
        return sorted(f"{path}: {state}" for path, state in states.items() if state)

    def _sources(self) -> dict[Path, str]:
        paths = sorted(self.specs.glob("*.yaml"))
        if not paths:
            raise CodegenError(str(self.specs), ["holds no *.yaml"])
        wsdl = self.specs / FILE
        return {path: _text(path) for path in [*paths, *([wsdl] if wsdl.exists() else [])]}

    def _bumped(self, sources: Mapping[Path, str], api_version: str) -> dict[Path, str]:
        bumps = {path: bump_wsdl if path.name == FILE else bump_spec for path in sources}
        return {path: bump(f"specs/{path.name}", sources[path], api_version) for path, bump in bumps.items()}

    def _build(self, sources: Mapping[Path, str], folder: Path) -> Path:
        """Generate a package in a folder."""
        sums = {path.name: text.encode() for path, text in sources.items()}
        specs = [read_spec(path.stem, text) for path, text in sources.items() if path.suffix == ".yaml"]
        wsdl = sums.get(FILE)
        files = render(specs, wsdl)
        fresh = folder / self.name
        for path, text in files.items():
            _write(fresh / path, text.encode())
        _format(fresh)
        if wsdl is not None:
            _write(fresh / "soap" / FILE, wsdl)
        _write(fresh / _manifest.NAME, _manifest.write(sums, _manifest.package_files(fresh)))
        return fresh

    def _install(self, fresh: Path, changed: Mapping[Path, str]) -> None:
        """Put the new package and the changed specs in place: all of them, or none."""
        staged = {path: fresh.parent / path.name for path in changed}
        for path, text in changed.items():
            _write(staged[path], text.encode())
            if path.exists():
                shutil.copy2(path, fresh.parent / f"{path.name}.old")
        retired = fresh.parent / "old"
        if self.package.exists():
            self.package.rename(retired)
        try:
            fresh.rename(self.package)
            for path, new in staged.items():
                new.replace(path)
        except BaseException:
            shutil.rmtree(self.package, ignore_errors=True)
            if retired.exists():
                retired.rename(self.package)
            for path in changed:
                _restore(fresh.parent / f"{path.name}.old", path)
            raise


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CodegenError(str(path), [f"not UTF-8: {error}"]) from error


def _restore(kept: Path, path: Path) -> None:
    if kept.exists():
        shutil.copy2(kept, path)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _format(package: Path) -> None:
    for command in (["check", "--fix-only", "--select=F401,I"], ["format"]):
        # Inside the folder: from outside, ruff skips what .gitignore or a leading dot hides.
        line = [*_RUFF, *command, *_RULES, "."]
        done = subprocess.run(line, cwd=package, capture_output=True, text=True, check=False)  # noqa: S603  # our own ruff
        if done.returncode:
            raise CodegenError("ruff", [done.stderr.strip() or done.stdout.strip()])


def _with_manifest(package: Path) -> dict[str, bytes]:
    manifest = package / _manifest.NAME
    extra = {_manifest.NAME: manifest.read_bytes()} if manifest.exists() else {}
    return {**_manifest.package_files(package), **extra}


def _state(old: bytes | None, new: bytes | None) -> str | None:
    if old is None:
        return "missing"
    if new is None:
        return "stale"
    return None if old == new else "differs"
