"""Generate the package from the specs, or prove that it is in step with them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen._errors import CodegenError
from codegen._project import Project


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 if generation fails or anything is out of step."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; list the files that are out of step")
    what.add_argument("--api-version", metavar="68.0", help="set specs and WSDL to this version first")
    parser.add_argument("--wsdl", type=Path, metavar="PATH", help="put this WSDL in place of specs/partner.wsdl first")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the folder that holds specs/")
    options = parser.parse_args(arguments)
    if options.check and options.wsdl is not None:
        parser.error("argument --wsdl: not allowed with argument --check")
    project = Project(options.root)
    try:
        if not options.check:
            project.generate(options.api_version, options.wsdl)
            return 0
        differences = project.differences()
    except (CodegenError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for difference in differences:
        sys.stderr.write(f"{difference}\n")
    if differences:
        sys.stderr.write("The generated package is out of step with the specs: run python -m codegen.\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
