"""Objects of which a query must say whose records it wants."""

from collections.abc import Set
from typing import Final

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import SObjectType
from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._refusals import MALFORMED_QUERY

# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
_FILTERS: Final = {"ContentDocumentLink": ("contentdocumentid", "linkedentityid", "id")}


def check_restrictions(sobject: SObjectType, query: _ast.Query) -> None:
    """Refuse a query that reads an object without the filter that it needs.

    Raises:
        OrgError: 400 ``MALFORMED_QUERY``.
    """
    fields = _FILTERS.get(sobject.name)
    if fields is None:
        return
    prefixes = {sobject.name.lower(), *(source.alias.text.lower() for source in query.sources[:1] if source.alias)}
    names = {*fields, *(f"{prefix}.{field}" for prefix in prefixes for field in fields)}
    if query.where is None or not _filters(query.where, names):
        raise OrgError(
            400,
            MALFORMED_QUERY,
            f"Implementation restriction: {sobject.name} requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
        )


def _filters(condition: _ast.Condition, names: Set[str]) -> bool:
    match condition:
        case (
            _ast.Comparison(_ast.Path() as path, "=")
            | _ast.Membership(_ast.Path() as path, "IN")
            | _ast.SemiJoin(_ast.Path() as path, "IN")
        ):
            return path.text.lower() in names
        case _ast.And(terms):
            return any(_filters(term, names) for term in terms)
    return False
