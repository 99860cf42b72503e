"""``python -m sfconnector.testing``: a local org for tests in any language."""

import argparse
import sys
from collections.abc import Sequence

from sfconnector.testing._command_line import add_arguments, run


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sfconnector.testing", description="Run a Salesforce org on this machine until it is stopped."
    )
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
