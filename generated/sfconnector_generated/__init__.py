# Copied by `python -m codegen` from codegen/runtime/__init__.py: change that, never this.
"""Salesforce's APIs as typed operations: pure requests and parsers, sent by whatever transport is given.

One subpackage per API description, for instance ``sfconnector_generated.rest``.
Importing a subpackage imports none of its operations or models: each comes when it is first named.
"""

from ._version import API_VERSION

__all__ = ["API_VERSION"]
