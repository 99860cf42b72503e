"""How SOQL's refusals read: the words around the mistake, a caret under it, row and column, then the reason."""

from sfconnector.testing._errors import OrgError

MALFORMED_QUERY = "MALFORMED_QUERY"
INVALID_FIELD = "INVALID_FIELD"
INVALID_TYPE = "INVALID_TYPE"
INVALID_QUERY_FILTER_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"

# Real answers quote the line about this far to both sides, and whole words at the ends.
_CONTEXT = 30
_BREAKS = frozenset(" \t,")


def refusal(text: str, position: int, code: str, reason: str, *, first_column: int = 1) -> OrgError:
    """Make the error for what stands at an offset of the query text; lexers count columns from 0."""
    line_start = text.rfind("\n", 0, position) + 1
    line_end = text.find("\n", position)
    if line_end < 0:
        line_end = len(text)
    start = max(line_start, position - _CONTEXT)
    while start > line_start and text[start - 1] not in _BREAKS:
        start -= 1
    end = min(line_end, position + _CONTEXT)
    while end < line_end and text[end] not in _BREAKS:
        end += 1
    row, column = text.count("\n", 0, position) + 1, position - line_start + first_column
    excerpt, caret = text[start:end].rstrip(), " " * (position - start + first_column - 1) + "^"
    return OrgError(400, code, f"\n{excerpt}\n{caret}\nERROR at Row:{row}:Column:{column}\n{reason}")


def unsupported(what: str) -> OrgError:
    """Say that Salesforce would answer, and the local org cannot: never a wrong answer instead."""
    return OrgError(501, "FUNCTIONALITY_NOT_ENABLED", f"The local org does not support {what} in SOQL yet.")


def no_such_column(text: str, position: int, column: str, entity: str) -> OrgError:
    return refusal(
        text,
        position,
        INVALID_FIELD,
        f"No such column '{column}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
        "appropriate names.",
    )


def no_such_object(text: str, position: int, name: str) -> OrgError:
    return refusal(
        text,
        position,
        INVALID_TYPE,
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
        "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
    )


def no_such_relationship(text: str, position: int, name: str) -> OrgError:
    return refusal(
        text,
        position,
        INVALID_FIELD,
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
        "call for the appropriate names.",
    )


def no_such_child_relationship(text: str, position: int, name: str) -> OrgError:
    return refusal(
        text,
        position,
        INVALID_TYPE,
        f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom "
        "relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or "
        "the describe call for the appropriate names.",
    )
