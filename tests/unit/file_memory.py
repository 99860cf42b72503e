"""Run as a program: send a large file to an org in this process and fetch it; print by how much the process grew.

The arguments are the size of the file in bytes, and a folder for it.
"""

import resource
import sys
from pathlib import Path

from sfconnector import Salesforce, auth
from sfconnector.testing import LocalOrg


def main() -> None:
    size, folder = int(sys.argv[1]), Path(sys.argv[2])
    source, target = folder / "large.bin", folder / "copy.bin"
    with source.open("wb") as file:
        file.truncate(size)
    with LocalOrg() as org, Salesforce(auth.ClientCredentials(org.url, org.client_id, org.client_secret)) as sf:
        # What a first file costs for good: modules, buffers, threads.
        small = sf.files.upload(b"x" * 1_000_000, name="small.bin")
        sf.files.download(small.id, target)
        before = peak()
        stored = sf.files.upload(source)
        sf.files.download(stored.id, target)
        grown = peak() - before
    if (stored.size, target.stat().st_size) != (size, size):
        raise SystemExit(f"{stored.size} bytes were stored, {target.stat().st_size} came back")
    print(grown)  # noqa: T201  # a program's output


def peak() -> int:
    """Give the largest size of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
