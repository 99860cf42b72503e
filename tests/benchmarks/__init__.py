"""Measures sfconnector beside other clients and the floor: ``python -m tests.benchmarks [row ...]``."""
