"""One form for what two parsers make of a query, so that both can be compared: fields, conditions, groups, order."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from sfconnector.testing._soql import _ast

Shape: TypeAlias = dict[str, Any]
_NOT: str = "NOT"


def of_ours(query: _ast.Query) -> Shape:
    """The form of the local org's syntax tree."""
    (source, *joined) = query.sources
    return _without_nothing(
        {
            "fields": [_selected(item) for item in query.selection],
            "from": source.name.text,
            "alias": source.alias and source.alias.text,
            "joined": len(joined) or None,
            "scope": query.scope and query.scope.text.lower(),
            "where": query.where and _condition(query.where),
            "group": [_squeeze(one.text) for one in query.group_by],
            "having": query.having and _condition(query.having),
            "order": [_ordered(one) for one in query.order_by],
            "limit": query.limit and query.limit.value,
            "offset": query.offset and query.offset.value,
            "for": "UPDATE" if query.locks else query.tracking and query.tracking.split()[-1],
            "update": query.update and query.update[0].text.upper(),
        }
    )


def of_theirs(query: Shape) -> Shape:
    """The form of a query as soql-parser-js has it."""
    groups, orders = (_list(query.get(key)) for key in ("groupBy", "orderBy"))
    name = ".".join([*query.get("sObjectPrefix", ()), query.get("sObject") or query["relationshipName"]])
    return _without_nothing(
        {
            "fields": [_their_field(field) for field in query["fields"]],
            "from": name,
            "alias": query.get("sObjectAlias"),
            "scope": query.get("usingScope", "").lower() or None,
            "where": _their_condition(query.get("where")),
            "group": [_squeeze(_their_expression(one)) for one in groups],
            "having": _their_condition(query.get("having")),
            "order": [_their_order(one) for one in orders],
            "limit": query.get("limit"),
            "offset": query.get("offset"),
            "for": query.get("for"),
            "update": query.get("update"),
        }
    )


def _without_nothing(shape: Shape) -> Shape:
    return {key: value for key, value in shape.items() if value not in (None, [], ())}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def _selected(item: _ast.Selected) -> Any:
    match item:
        case _ast.Column(expression, alias):
            return _squeeze(expression.text), alias and alias.text
        case _ast.Child(query):
            return of_ours(query)
        case _ast.TypeOf(relationship, branches, otherwise):
            whens = [(branch.sobject.text, [one.text for one in branch.columns]) for branch in branches]
            return relationship.text, [*whens, *([("", [one.text for one in otherwise])] if otherwise else [])]


def _their_field(field: Shape) -> Any:
    match field["type"]:
        case "FieldSubquery":
            return of_theirs(field["subquery"])
        case "FieldTypeof":
            return field["field"], [(one.get("objectType", ""), one["fieldList"]) for one in field["conditions"]]
    return _squeeze(field.get("rawValue", field.get("field", ""))), field.get("alias")


def _ordered(order: _ast.Order) -> tuple[str, bool, bool]:
    return _squeeze(order.expression.text), order.descending, order.nulls_last


def _their_order(order: Shape) -> tuple[str, bool, bool]:
    return _squeeze(_their_expression(order)), order.get("order") == "DESC", order.get("nulls") == "LAST"


def _their_expression(part: Shape) -> str:
    return str(part["fn"]["rawValue"] if "fn" in part else part["field"])


def _condition(condition: _ast.Condition) -> Any:
    match condition:
        case _ast.And(terms):
            return ["AND", *map(_condition, terms)]
        case _ast.Or(terms):
            return ["OR", *map(_condition, terms)]
        case _ast.Not(term):
            return [_NOT, _condition(term)]
        case _ast.Comparison(operand, operator, value):
            return _squeeze(operand.text), operator, [value.text.lower()]
        case _ast.Membership(operand, operator, values):
            return _squeeze(operand.text), operator, [value.text.lower() for value in values]
        case _ast.SemiJoin(operand, operator, query):
            return _squeeze(operand.text), operator, of_ours(query)


def _their_condition(condition: Shape | None) -> Any:
    if condition is None:
        return None
    tokens = list(_tokens(condition))
    tree = _expression(tokens)
    assert not tokens, f"left over: {tokens}"
    return tree


def _tokens(condition: Shape | None) -> Iterator[Any]:
    """The chain of conditions, in which parentheses are counted, as it was written."""
    while condition is not None:
        left, operator = condition.get("left") or {}, condition.get("operator")
        yield from "(" * left.get("openParen", 0)
        if operator == _NOT:
            yield _NOT
        else:
            yield _their_comparison(left)
            yield from ")" * left.get("closeParen", 0)
            if operator is not None:
                yield operator
        condition = condition.get("right")


def _their_comparison(left: Shape) -> tuple[str, str, Any]:
    operand = _squeeze(_their_expression(left))
    operator = left["operator"].upper().replace("<>", "!=")
    if "valueQuery" in left:
        return operand, operator, of_theirs(left["valueQuery"])
    return operand, operator, [value.lower() for value in _list(left["value"])]


def _expression(tokens: list[Any]) -> Any:
    terms, operators = [_term(tokens)], set()
    while tokens and tokens[0] in ("AND", "OR"):
        operators.add(tokens.pop(0))
        terms.append(_term(tokens))
    assert len(operators) <= 1, "AND and OR are mixed"
    return [*operators, *terms] if operators else terms[0]


def _term(tokens: list[Any]) -> Any:
    token = tokens.pop(0)
    if token == _NOT:
        return [_NOT, _term(tokens)]
    if token != "(":
        return token
    inner = _expression(tokens)
    assert tokens.pop(0) == ")"
    return inner
