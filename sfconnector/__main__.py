"""The command ``sfconnector``."""

import argparse
import sys
from collections.abc import Sequence

from sfconnector._version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    parser = argparse.ArgumentParser(prog="sfconnector", description="The synchronous, typed Salesforce SDK.")
    parser.add_argument("--version", action="version", version=f"sfconnector {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    local_org = commands.add_parser(
        "local-org",
        help="run a Salesforce org on this machine until it is stopped",
        description="Run a Salesforce org on this machine until it is stopped.",
    )
    # Its arguments are known without the packages that running it needs.
    from sfconnector.testing import _command_line

    _command_line.add_arguments(local_org)
    return _command_line.run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
