"""Both bulk APIs of the local org: jobs, their states, and what runs them."""

from sfconnector.testing._bulk._engine import CHUNK, Engine, Work
from sfconnector.testing._bulk._jobs import Job, JobKind
from sfconnector.testing._bulk._steering import BulkSteering

__all__ = ["CHUNK", "BulkSteering", "Engine", "Job", "JobKind", "Work"]
