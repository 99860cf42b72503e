#!/bin/sh
# Installs the wheel that is given into an environment of its own and runs the tests against it, away from the
# source tree, so that a file missing from the wheel cannot be found there.
set -eu
wheel=$(realpath "$1")
tests=$(realpath "$(dirname "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$BIN/python" -m venv "$folder/venv"
# What is never imported need not be compiled, and that is most of it.
"$folder/venv/bin/pip" install --quiet --no-compile --require-hashes -r "$tests/../requirements.lock"
"$folder/venv/bin/pip" install --quiet --no-deps "$wheel"

# What tests the generator, the specs and the documents needs the source tree and is left to `make test`.
cp -r "$tests" "$folder/tests"
cp "$tests/../pyproject.toml" "$folder/"
rm -rf "$folder/tests/unit/codegen" "$folder/tests/unit/test_specs.py" "$folder/tests/unit/test_operations.py" \
    "$folder/tests/unit/test_documents.py" "$folder/tests/unit/test_mirror.py" "$folder/tests/conformance"
cd "$folder"
"$folder/venv/bin/python" -c 'import sfconnector, sys; sys.exit("site-packages" not in sfconnector.__file__)'
"$folder/venv/bin/pytest" -n auto -q
