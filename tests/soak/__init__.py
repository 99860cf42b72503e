"""Kills a listener again and again while events flow and the org fails: ``python -m tests.soak``."""
