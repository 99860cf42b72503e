"""SOSL: a grammar, the words of a search, the fields that it looks into, and records as the REST API has them.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl.htm
"""

from sfconnector.testing._sosl._ast import Returned, Statement
from sfconnector.testing._sosl._parser import parse, parse_plain, parse_returned, phrase
from sfconnector.testing._sosl._search import Found, run, search

__all__ = ["Found", "Returned", "Statement", "parse", "parse_plain", "parse_returned", "phrase", "run", "search"]
