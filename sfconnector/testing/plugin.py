"""pytest fixtures of the local org.

pytest imports this module wherever the package is installed, so it imports nothing until a fixture is used.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sfconnector.testing import LocalOrg


@pytest.fixture
def local_org() -> "Iterator[LocalOrg]":
    """A Salesforce org of this test's own: empty, in memory, listening."""
    from sfconnector.testing import LocalOrg

    with LocalOrg() as org:
        yield org


@pytest.fixture(scope="session")
def local_org_factory() -> "Iterator[Callable[..., LocalOrg]]":
    """Starts orgs that last until the end of the session; takes the arguments of `LocalOrg`."""
    from sfconnector.testing import LocalOrg

    with ExitStack() as stack:

        def start(*arguments: Any, **options: Any) -> LocalOrg:
            return stack.enter_context(LocalOrg(*arguments, **options))

        yield start
