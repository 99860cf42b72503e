"""From the descriptions in ``specs/`` to the package in ``generated/``: ``python -m codegen``."""
