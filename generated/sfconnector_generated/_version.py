# Copied by `python -m codegen` from codegen/runtime/_version.py: change that, never this.
"""The API version that the descriptions follow."""

API_VERSION = "68.0"
