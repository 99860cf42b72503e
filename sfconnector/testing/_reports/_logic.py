"""The logic of filters, such as ``(1 OR 4) AND 2 AND 3``: AND binds closer than OR, NOT closest.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_filter_reportdata.htm
"""

import re
from collections.abc import Sequence
from typing import Final

from sfconnector.testing._errors import OrgError
from sfconnector.testing._reports._refusals import bad_request

# As long as the field of the report builder.
_LONGEST: Final = 255
_TOKEN: Final = re.compile(r"\(|\)|\d+|AND|OR|NOT", re.IGNORECASE | re.ASCII)


class Logic:
    """Filter logic over some conditions.

    Args:
        text: as a client wrote it, with or without spaces.
        conditions: SOQL, the first being number 1; each must be named.

    Raises:
        OrgError: 400 for logic that cannot be read, or that names other conditions.
    """

    def __init__(self, text: str, conditions: Sequence[str]) -> None:
        self._given = text
        self._conditions = conditions
        tokens = [token.upper() for token in _TOKEN.findall(text)]
        if len(text) > _LONGEST or "".join(tokens) != re.sub(r"\s", "", text).upper():
            raise self._wrong()
        used = {int(token) for token in tokens if token.isdigit()}
        if used != set(range(1, len(conditions) + 1)):
            raise self._wrong()
        self.text = " ".join(tokens).replace("( ", "(").replace(" )", ")")
        self._tokens = tokens[::-1]
        self.soql = self._either()
        if self._tokens:
            raise self._wrong()

    def _either(self) -> str:
        terms = [self._both()]
        while self._next("OR"):
            terms.append(self._both())
        return _joined(terms, " OR ")

    def _both(self) -> str:
        terms = [self._one()]
        while self._next("AND"):
            terms.append(self._one())
        return _joined(terms, " AND ")

    def _one(self) -> str:
        if self._next("NOT"):
            return f"(NOT {self._one()})"
        if self._next("("):
            inner = self._either()
            if not self._next(")"):
                raise self._wrong()
            return inner
        if not self._tokens or not self._tokens[-1].isdigit():
            raise self._wrong()
        return self._conditions[int(self._tokens.pop()) - 1]

    def _next(self, token: str) -> bool:
        if self._tokens and self._tokens[-1] == token:
            self._tokens.pop()
            return True
        return False

    def _wrong(self) -> OrgError:
        return bad_request(f"The filter logic {self._given} is invalid.")


def _joined(terms: Sequence[str], operator: str) -> str:
    return terms[0] if len(terms) == 1 else f"({operator.join(terms)})"
