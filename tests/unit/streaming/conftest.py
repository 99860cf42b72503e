"""Lets the tests of this folder use what those of the folder above share, also when they are run alone."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
