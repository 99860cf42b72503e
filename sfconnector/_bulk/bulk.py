"""Everything that bulk jobs can do, in one namespace."""

from __future__ import annotations

from sfconnector._bulk.ingests import Ingests
from sfconnector._bulk.queries import Queries


class Bulk(Queries, Ingests):
    """Bulk jobs of the org; made as :attr:`Salesforce.bulk`.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-intro.html
    """

    def __repr__(self) -> str:
        return "<Bulk>"
