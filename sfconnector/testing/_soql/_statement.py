"""The pieces of one SQL statement which all its SELECTs share: bound values and table aliases."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import attrs


def join(operator: str, terms: list[str]) -> str:
    """Combine conditions as a balanced tree: SQLite limits how deep an expression may be, not how long."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"({join(operator, terms[:middle])} {operator} {join(operator, terms[middle:])})"


def select(
    columns: Iterable[str],
    tables: Iterable[str],
    where: str,
    *,
    group_by: str = "",
    having: str = "",
    order_by: str = "",
    window: str = "",
) -> str:
    """Put a SELECT together from parts in which every name is quoted and every value is a placeholder."""
    clauses = {"GROUP BY": group_by, "HAVING": having, "ORDER BY": order_by}
    rest = "".join(f" {keyword} {clause}" for keyword, clause in clauses.items() if clause)
    return f"SELECT {', '.join(columns)} FROM {' '.join(tables)} WHERE {where}{rest}{window}"


def negate(condition: str) -> str:
    """Turn a condition around; SQL's unknown counts as false before, so that nulls are among the result."""
    return f"(NOT COALESCE({condition}, 0))"


@attrs.frozen
class Statement:
    parameters: dict[str, Any] = attrs.field(factory=dict)
    _constants: dict[Any, str] = attrs.field(factory=dict, repr=False, eq=False)
    _numbers: "count[int]" = attrs.field(factory=count, repr=False, eq=False)

    def bind(self, value: Any) -> str:
        """Add a value and return its placeholder, which may be used any number of times."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def constant(self, value: Any) -> str:
        """Return the same placeholder for the same value, so that the same expression is the same text."""
        key = (type(value), value)
        if key not in self._constants:
            self._constants[key] = self.bind(value)
        return self._constants[key]

    def alias(self) -> str:
        return f"t{next(self._numbers)}"
