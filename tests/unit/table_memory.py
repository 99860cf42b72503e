"""Run as a program: read a long query into a table, and print its bytes and by how many the process grew.

The arguments are the URL of a server, and how many records it has.
"""

import resource
import sys

from sfconnector import Salesforce, auth


def main() -> None:
    url, expected = sys.argv[1], int(sys.argv[2])
    with Salesforce(auth.AccessToken(url, "token")) as sf:
        # What a first query costs for good: modules, buffers, a thread.
        sf.query("SELECT Id, Name FROM Small").to_arrow()
        before = peak()
        table = sf.query("SELECT Id, Name, Total__c, Count__c, At__c, Note__c FROM Large").to_arrow()
        grown = peak() - before
    if table.num_rows != expected:
        raise SystemExit(f"{table.num_rows} records came")
    print(table.nbytes, grown)  # noqa: T201  # a program's output


def peak() -> int:
    """Give the largest size of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
