"""Queries to ask two parsers: written ones, generated ones, and generated ones with a mistake put in.

The generator draws from a seed, so that everybody gets the same queries.
"""

import random
import re
from collections.abc import Callable

import attrs

GENERATED = 220
MISTAKES = 300

# Statements as the reference has them, and its edges:
# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_examples.htm
WRITTEN = [
    "SELECT Id, Name, BillingCity FROM Account",
    "SELECT Id FROM Contact WHERE Name LIKE 'A%' AND MailingState = 'California'",
    "SELECT Name FROM Account ORDER BY Name DESC NULLS LAST",
    "SELECT Name FROM Account WHERE Industry = 'media' LIMIT 125",
    "SELECT Name FROM Account WHERE Industry = 'media' ORDER BY BillingPostalCode ASC NULLS LAST LIMIT 125",
    "SELECT COUNT() FROM Contact",
    "SELECT COUNT() FROM Contact WHERE Name LIKE 'a%'",
    "SELECT LeadSource, COUNT(Name) FROM Lead GROUP BY LeadSource",
    "SELECT Name, COUNT(Id) FROM Account GROUP BY Name HAVING COUNT(Id) > 1",
    "SELECT Name, Id FROM Product2 ORDER BY Name OFFSET 100",
    "SELECT Name, Id FROM Account ORDER BY Name LIMIT 20 OFFSET 100",
    "SELECT Name, Id FROM Account WHERE Name = 'a' OFFSET 100",
    "SELECT Contact.FirstName, Contact.Account.Name FROM Contact",
    "SELECT Id, Name, Account.Name FROM Contact WHERE Account.Industry = 'media'",
    "SELECT Name, (SELECT LastName FROM Contacts) FROM Account",
    "SELECT Account.Name, (SELECT Contact.LastName FROM Account.Contacts) FROM Account",
    "SELECT Name, (SELECT LastName FROM Contacts WHERE CreatedBy.Alias = 'x') FROM Account WHERE Industry = 'media'",
    "SELECT Id FROM Task WHERE Owner.Type = 'User'",
    "SELECT Id, Owner.Name FROM Task WHERE Owner.FirstName LIKE 'B%'",
    "SELECT Id, Who.FirstName, Who.LastName FROM Task WHERE Owner.FirstName LIKE 'B%'",
    "SELECT TYPEOF What WHEN Account THEN Phone, Fax WHEN Opportunity THEN Amount ELSE Name END FROM Event",
    "SELECT Id, TYPEOF Owner WHEN User THEN Username, Email END FROM Case",
    "SELECT Amount FROM Opportunity WHERE CALENDAR_YEAR(CreatedDate) = 2011",
    "SELECT CALENDAR_YEAR(CreatedDate), SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CreatedDate)",
    "SELECT CALENDAR_YEAR(CloseDate) y, SUM(Amount) FROM Opportunity GROUP BY CloseDate",
    "SELECT HOUR_IN_DAY(convertTimezone(CreatedDate)), SUM(Amount) FROM Opportunity "
    "GROUP BY HOUR_IN_DAY(convertTimezone(CreatedDate))",
    "SELECT Id FROM Opportunity WHERE DAY_ONLY(convertTimezone(CreatedDate)) = 2024-01-31",
    "SELECT FISCAL_QUARTER(CloseDate), FISCAL_YEAR(CloseDate), WEEK_IN_YEAR(CloseDate), COUNT(Id) FROM Opportunity "
    "GROUP BY FISCAL_QUARTER(CloseDate), FISCAL_YEAR(CloseDate), WEEK_IN_YEAR(CloseDate)",
    "SELECT LeadSource, COUNT(Name) cnt FROM Lead GROUP BY ROLLUP(LeadSource)",
    "SELECT Status, LeadSource, COUNT(Name) cnt FROM Lead GROUP BY ROLLUP(Status, LeadSource)",
    "SELECT LeadSource, Rating, GROUPING(LeadSource) grpLS, GROUPING(Rating) grpRating, COUNT(Name) cnt FROM Lead "
    "GROUP BY ROLLUP(LeadSource, Rating)",
    "SELECT Type, BillingCountry, GROUPING(Type) grpType, COUNT(Id) accts FROM Account "
    "GROUP BY CUBE(Type, BillingCountry) ORDER BY GROUPING(Type), COUNT(Id) DESC",
    "SELECT CALENDAR_YEAR(CloseDate), StageName, COUNT(Id) FROM Opportunity "
    "GROUP BY ROLLUP(CALENDAR_YEAR(CloseDate), StageName)",
    "SELECT LeadSource, COUNT(Name) FROM Lead GROUP BY LeadSource HAVING COUNT(Name) > 100 AND LeadSource > 'Phone'",
    "SELECT Name n, MAX(Amount) max FROM Opportunity GROUP BY Name",
    "SELECT COUNT(Id) total, AVG(Amount), MIN(CloseDate), COUNT_DISTINCT(StageName) FROM Opportunity",
    "SELECT toLabel(Status), Company FROM Lead WHERE toLabel(Status) = 'le Draft'",
    "SELECT Company, Status, toLabel(Status) translated FROM Lead",
    "SELECT FORMAT(Amount) Amt, FORMAT(LastModifiedDate) editDate FROM Opportunity",
    "SELECT Amount, FORMAT(Amount) Amt, convertCurrency(Amount) converted, FORMAT(convertCurrency(Amount)) shown "
    "FROM Opportunity WHERE Id = '006R00000024gDtIAI'",
    "SELECT FORMAT(MIN(CloseDate)) Amt FROM Opportunity",
    "SELECT Id, convertCurrency(AnnualRevenue) FROM Account",
    "SELECT Id FROM Opportunity WHERE Amount > USD5000",
    "SELECT Id, Name FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(37.775,-122.418), 'mi') < 20 "
    "ORDER BY DISTANCE(BillingAddress, GEOLOCATION(37.775,-122.418), 'mi') LIMIT 10",
    "SELECT Name, DISTANCE(BillingAddress, GEOLOCATION(37.775, -122.418), 'km') far FROM Account",
    "SELECT FIELDS(ALL) FROM Account LIMIT 200",
    "SELECT FIELDS(STANDARD) FROM Contact",
    "SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 200",
    "SELECT Id, (SELECT FIELDS(ALL) FROM Contacts LIMIT 200) FROM Account",
    "SELECT Id, Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')",
    "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsClosed = false)",
    "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Name != NULL) AND LastName <> 'x'",
    "SELECT Id FROM Account USING SCOPE mine",
    "SELECT Id FROM Account USING SCOPE everything WHERE Name = 'a' ORDER BY Id",
    "SELECT Name, Id FROM Contact LIMIT 1 FOR VIEW",
    "SELECT Name, Id FROM Contact LIMIT 1 FOR REFERENCE",
    "SELECT Id FROM Account LIMIT 2 FOR UPDATE",
    "SELECT Name FROM Account WHERE Name = 'x' UPDATE TRACKING",
    "SELECT Name FROM Account WHERE Name = 'x' UPDATE VIEWSTAT",
    "SELECT a.Id, a.Name FROM Account a WHERE a.Name = 'x'",
    "SELECT c.Id, a.Name FROM Contact c, c.Account a WHERE a.Name = 'MyriadPubs'",
    "SELECT COUNT() FROM Contact c, c.Account a WHERE a.Name = 'MyriadPubs'",
    "SELECT Id FROM Account WHERE (Name = 'a' OR Name = 'b') AND (Site = 'x' OR (Site = 'y' AND Rating = null))",
    "SELECT Id FROM Account WHERE NOT (Name = 'a' OR Name = 'b')",
    "SELECT Id FROM Account WHERE NOT Name = 'a'",
    "SELECT Id FROM Account WHERE (NOT Name LIKE '%a%') AND (NOT Name LIKE '%b%')",
    "SELECT Id FROM Account WHERE Name = 'a' AND (NOT (Industry = 'x' AND Rating = 'Hot'))",
    r"SELECT Id FROM Account WHERE Name = 'Bob\'s BBQ' OR Name LIKE 'Ter\%' OR Name = '\\ \n \u00e9'",
    "SELECT Id FROM Account WHERE Name IN ('a') AND Industry NOT IN ('b', 'c', NULL)",
    "SELECT Id FROM Account WHERE AnnualRevenue >= -2.50 AND AnnualRevenue <= +3 AND NumberOfEmployees != 0",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00Z AND CreatedDate < 2026-01-01T00:00:00.123+02:00",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00-08:00",
    "SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01 OR CloseDate IN (TODAY, 2026-02-03)",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_90_DAYS OR CreatedDate = THIS_FISCAL_QUARTER",
    "SELECT Id FROM Account WHERE IsDeleted = FALSE AND (CreatedDate = TODAY OR CreatedDate = YESTERDAY)",
    "select id from account where name = 'a' order by name asc nulls first limit 3",
    "SELECT\tId\nFROM\r\nAccount",
    "  SELECT Id FROM Account  ",
    "SELECT Id FROM Account WHERE Name='a'AND Industry='b'",
    "SELECT Id,Name FROM Account WHERE(Name='a')",
    "SELECT Id FROM Account WHERE Name = ''",
    "SELECT Id, (SELECT Id, (SELECT Id FROM Cases) FROM Contacts) FROM Account",
    "SELECT Id, (SELECT Id FROM Contacts ORDER BY Name LIMIT 2 OFFSET 1) FROM Account LIMIT 1",
    "SELECT Group.Name FROM GroupMember",
    "SELECT Id FROM Account FOR",
    "SELECT Id FROM Order",
    "SELECT Id FROM Case WHERE Status = 'New'",
    "SELECT Id FROM Group",
    "SELECT Id, Name FROM Account WHERE Name > 'a' AND Name < 'b' AND Name >= 'a' AND Name <= 'b'",
    "SELECT Id FROM User WHERE IsActive = true",
    "SELECT Id FROM Account LIMIT 0",
    "SELECT Id FROM Account ORDER BY Name, Id DESC, Industry NULLS FIRST, Owner.Name ASC NULLS LAST",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:30 OR CreatedDate = NEXT_N_WEEKS:2",
    "SELECT Id FROM Account WHERE CreatedDate < N_DAYS_AGO:4 OR CreatedDate = N_FISCAL_YEARS_AGO:1",
]

# What is no SOQL, or is none for the REST API.
MALFORMED = [
    "",
    "   ",
    "SELECT",
    "SELECT Id",
    "SELECT FROM Account",
    "SELECT Id FROM",
    "SELECT Id, FROM Account",
    "SELECT ,Id FROM Account",
    "SELECT Id Name FROM Account",
    "SELECT * FROM Account",
    "SELECT Id AS x FROM Account",
    "SELECT Id FROM Account a b",
    "SELECT Id FROM Account;",
    "SELECT Id FROM Account --",
    "SELECT Id FROM Account /* all */",
    "SELECT DISTINCT Name FROM Account",
    "SELECT Id FROM Account WHERE",
    "SELECT Id FROM Account WHERE Name",
    "SELECT Id FROM Account WHERE Name =",
    "SELECT Id FROM Account WHERE = 'a'",
    "SELECT Id FROM Account WHERE Name = Industry",
    "SELECT Id FROM Account WHERE Name == 'a'",
    'SELECT Id FROM Account WHERE Name = "a"',
    "SELECT Id FROM Account WHERE Name = 'a",
    "SELECT Id FROM Account WHERE Name = a'",
    "SELECT Id FROM Account WHERE Name = 'O'Neil'",
    "SELECT Id FROM Account WHERE Name IS NULL",
    "SELECT Id FROM Account WHERE Name IS NOT NULL",
    "SELECT Id FROM Account WHERE Name NOT LIKE 'a'",
    "SELECT Id FROM Account WHERE Name BETWEEN 'a' AND 'b'",
    "SELECT Id FROM Account WHERE Name IN ()",
    "SELECT Id FROM Account WHERE Name IN 'a'",
    "SELECT Id FROM Account WHERE Name IN ('a',)",
    "SELECT Id FROM Account WHERE Name IN ('a' 'b')",
    "SELECT Id FROM Account WHERE (Name = 'a'",
    "SELECT Id FROM Account WHERE Name = 'a')",
    "SELECT Id FROM Account WHERE Name = 'a' Name = 'b'",
    "SELECT Id FROM Account WHERE Name = 'a' AND",
    "SELECT Id FROM Account WHERE AND Name = 'a'",
    "SELECT Id FROM Account WHERE Name = 'a' XOR Name = 'b'",
    "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
    "SELECT Id FROM Account WHERE NOT Name = 'a' AND Industry = 'b'",
    "SELECT Id FROM Account WHERE Name = 'a' AND NOT Industry = 'b'",
    "SELECT Id FROM Account WHERE NOT NOT Name = 'a'",
    "SELECT Id FROM Account WHERE !Name = 'a'",
    "SELECT Id FROM Account WHERE Name = :name",
    "SELECT Id FROM Account WHERE Name IN :names",
    "SELECT Id FROM Account LIMIT :n",
    "SELECT Id FROM Account WHERE CreatedDate = 2026-13-01T00:00:00Z",
    "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01T25:00:00Z",
    "SELECT Id FROM Opportunity WHERE CloseDate = 2026-02-30",
    "SELECT Id FROM Opportunity WHERE CloseDate = 01/02/2026",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS",
    "SELECT Id FROM Account WHERE CreatedDate = TODAY:3",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_DECADE",
    "SELECT Id FROM Account WHERE NumberOfEmployees = 1e5",
    "SELECT Id FROM Account WHERE NumberOfEmployees = 1,000",
    r"SELECT Id FROM Account WHERE Name = '\q'",
    r"SELECT Id FROM Account WHERE Name = 'a\%'",
    "SELECT Id FROM Account WHERE LENGTH(Name) = 3",
    "SELECT UPPER(Name) FROM Account",
    "SELECT convertTimezone(CreatedDate) FROM Account",
    "SELECT Id FROM Account WHERE COUNT(Id) > 1",
    "SELECT Id FROM Account WHERE FORMAT(AnnualRevenue) = '1'",
    "SELECT Id FROM Account WHERE DISTANCE(GEOLOCATION(1,2), BillingAddress, 'mi') < 20",
    "SELECT COUNT(*) FROM Account",
    "SELECT COUNT(Id, Name) FROM Account",
    "SELECT COUNT(), Name FROM Account",
    "SELECT CALENDAR_YEAR(CreatedDate) FROM Account",
    "SELECT Name, COUNT(Id) FROM Account",
    "SELECT Name FROM Account GROUP BY",
    "SELECT Name, COUNT(Id) FROM Account GROUP Name",
    "SELECT Name, COUNT(Id) FROM Account HAVING COUNT(Id) > 1 GROUP BY Name",
    "SELECT Name, COUNT(Id) FROM Account GROUP BY ROLLUP(Name), Industry",
    "SELECT Name, COUNT(Id) FROM Account GROUP BY ROLLUP()",
    "SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(Name, Industry, Type, Rating)",
    "SELECT Name, COUNT(Id) FROM Account GROUP BY 1",
    "SELECT Id FROM Account ORDER Name",
    "SELECT Id FROM Account ORDER BY",
    "SELECT Id FROM Account ORDER BY Name UP",
    "SELECT Id FROM Account ORDER BY Name NULLS",
    "SELECT Id FROM Account ORDER BY 1",
    "SELECT Id FROM Account ORDER BY Name LIMIT",
    "SELECT Id FROM Account LIMIT -1",
    "SELECT Id FROM Account LIMIT 1.5",
    "SELECT Id FROM Account LIMIT 'a'",
    "SELECT Id FROM Account LIMIT 1, 2",
    "SELECT Id FROM Account LIMIT 1 WHERE Name = 'a'",
    "SELECT Id FROM Account OFFSET 1 LIMIT 1",
    "SELECT Id FROM Account FOR DELETE",
    "SELECT Id FROM Account FOR VIEW FOR REFERENCE",
    "SELECT Id FROM Account UPDATE",
    "SELECT Id FROM Account UPDATE EVERYTHING",
    "SELECT Id FROM Account ALL ROWS",
    "SELECT Id FROM Account WITH SECURITY_ENFORCED",
    "SELECT Id FROM Account WITH USER_MODE",
    "SELECT Id FROM Account USING mine",
    "SELECT Id FROM Account USING SCOPE",
    "SELECT Id FROM Account, Contact",
    "SELECT Id FROM Account JOIN Contact",
    "SELECT (SELECT Id FROM Contacts FROM Account",
    "SELECT (Id) FROM Account",
    "SELECT Id, (SELECT Id FROM Contacts) people FROM Account",
    "SELECT TYPEOF What WHEN Account THEN Phone END about FROM Task",
    "SELECT COUNT(Id) FROM Account HAVING COUNT(Id) > 1",
    "SELECT GROUPING(CALENDAR_YEAR(CreatedDate)), COUNT(Id) FROM Account GROUP BY ROLLUP(Name)",
    "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account",
    "SELECT TYPEOF What WHEN Account THEN Phone FROM Task",
    "SELECT TYPEOF What ELSE Name END FROM Task",
    "SELECT TYPEOF What WHEN Account Phone END FROM Task",
    "SELECT FIELDS(ALL) FROM Account",
    "SELECT FIELDS() FROM Account",
    "SELECT FIELDS(EVERY) FROM Account",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact ORDER BY Id)",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId, Id FROM Contact)",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) OR Name = 'a'",
    "UPDATE Account SET Name = 'a'",
    "FIND {a} IN ALL FIELDS",
]


@attrs.frozen
class Source:
    """An object, its fields by the kind of their values, and its child relationships."""

    fields: dict[str, tuple[str, ...]]
    children: dict[str, str] = attrs.field(factory=dict)


SOURCES = {
    "Account": Source(
        {
            "text": ("Name", "BillingCity", "Site", "Owner.Name", "Parent.Name"),
            "picklist": ("Industry", "Type", "Rating", "Parent.Industry"),
            "number": ("AnnualRevenue", "NumberOfEmployees"),
            "datetime": ("CreatedDate", "LastModifiedDate", "Parent.CreatedDate"),
            "id": ("Id", "OwnerId", "ParentId"),
            "boolean": ("IsDeleted", "Owner.IsActive"),
        },
        {"Contacts": "Contact", "Opportunities": "Opportunity", "ChildAccounts": "Account"},
    ),
    "Contact": Source(
        {
            "text": ("LastName", "FirstName", "Email", "Account.Name", "Account.Owner.Name"),
            "picklist": ("LeadSource", "Account.Industry"),
            "datetime": ("CreatedDate", "Account.CreatedDate"),
            "date": ("Birthdate",),
            "id": ("Id", "AccountId", "OwnerId"),
            "boolean": ("IsDeleted",),
        },
        {"Opportunities": "Opportunity"},
    ),
    "Opportunity": Source(
        {
            "text": ("Name", "NextStep", "Account.Name"),
            "picklist": ("StageName", "Type", "Account.Type"),
            "number": ("Amount", "Probability", "Account.AnnualRevenue"),
            "date": ("CloseDate",),
            "datetime": ("CreatedDate", "SystemModstamp"),
            "id": ("Id", "AccountId"),
            "boolean": ("IsClosed", "IsWon"),
        },
    ),
}
_DATES = ["TODAY", "YESTERDAY", "LAST_WEEK", "THIS_MONTH", "NEXT_QUARTER", "THIS_FISCAL_YEAR"]
_COUNTED = ["LAST_N_DAYS:7", "NEXT_N_WEEKS:2", "N_MONTHS_AGO:1", "LAST_N_FISCAL_QUARTERS:3"]
_LITERALS: dict[str, list[str]] = {
    "text": ["'a'", "'O\\'Neil'", "'50%'", "''", "null", "'ä\\n'"],
    "picklist": ["'Media'", "'Closed Won'", "null"],
    "number": ["0", "1", "-2.5", "1000000", "+3", "null"],
    "date": ["2026-01-31", "1999-12-31", "null", *_DATES, *_COUNTED],
    "datetime": ["2026-01-31T00:00:00Z", "2026-01-31T10:20:30.123+02:00", "null", *_DATES, *_COUNTED],
    "id": ["'001000000000001AAA'", "'005000000000001'", "null"],
    "boolean": ["true", "FALSE"],
}
_FUNCTIONS = ["CALENDAR_YEAR", "CALENDAR_MONTH", "DAY_IN_WEEK", "WEEK_IN_YEAR", "FISCAL_QUARTER"]


class Generator:
    """Draws statements that Salesforce accepts, by the grammar and by its rules."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # reproducible, not secret

    def query(self) -> str:
        name = self._pick(list(SOURCES))
        kind = self._random.random()
        if kind < 0.08:
            return self._case(f"SELECT COUNT() FROM {name}{self._where(name)}")
        return self._case(self._groups(name) if kind < 0.35 else self._records(name, depth=0))

    def short(self) -> str:
        """A statement of a few words, in which each counts."""
        name = self._pick(list(SOURCES))
        selected = ", ".join(self._paths(name, self._random.randint(1, 2)))
        where = self._maybe(0.7, lambda: f" WHERE {self._comparison(name)}")
        more = self._maybe(0.4, lambda: f" {self._pick(['AND', 'OR'])} {self._comparison(name)}") if where else ""
        order = self._maybe(0.4, lambda: f" ORDER BY {self._orders(name)}")
        limit = self._maybe(0.3, lambda: f" LIMIT {self._random.randint(0, 300)}")
        return f"SELECT {selected} FROM {name}{where}{more}{order}{limit}"

    def _pick(self, choices: list[str]) -> str:
        return self._random.choice(choices)

    def _maybe(self, chance: float, make: Callable[[], str]) -> str:
        return make() if self._random.random() < chance else ""

    def _paths(self, name: str, count: int, *, besides: frozenset[str] = frozenset()) -> list[str]:
        paths = sorted({path for paths in SOURCES[name].fields.values() for path in paths} - besides)
        return self._random.sample(paths, min(count, len(paths)))

    def _records(self, name: str, *, depth: int, source: str = "") -> str:
        items = self._paths(name, self._random.randint(1, 4))
        if depth == 0 and self._random.random() < 0.3:
            picklist = self._pick(list(SOURCES[name].fields["picklist"]))
            items.append(f"toLabel({picklist}) label{self._random.randint(1, 9)}")
        if depth < 2 and SOURCES[name].children and self._random.random() < 0.35:
            relationship, child = self._random.choice(sorted(SOURCES[name].children.items()))
            items.append(f"({self._records(child, depth=depth + 1, source=relationship)})")
        scope = self._maybe(0.1, lambda: " USING SCOPE everything") if depth == 0 else ""
        order = self._maybe(0.4, lambda: f" ORDER BY {self._orders(name)}")
        limit = self._maybe(0.5, lambda: f" LIMIT {self._random.randint(0, 300)}")
        offset = self._maybe(0.3, lambda: f" OFFSET {self._random.randint(0, 50)}") if limit and depth == 0 else ""
        tail = self._maybe(0.1, lambda: self._pick([" FOR VIEW", " FOR REFERENCE"])) if depth == 0 else ""
        return f"SELECT {', '.join(items)} FROM {source or name}{scope}{self._where(name)}{order}{limit}{offset}{tail}"

    def _groups(self, name: str) -> str:
        fields = SOURCES[name].fields
        # Of two fields with one name, both would stand under it: Salesforce wants other names then.
        groupable = {path.rpartition(".")[2]: path for kind in ("text", "picklist") for path in fields[kind]}
        chosen = self._random.sample(sorted(groupable.values()), self._random.randint(1, 2))
        keyword = self._pick(["", "", "ROLLUP", "CUBE"])
        if not keyword and self._random.random() < 0.6:
            moment = self._pick([path for kind in ("date", "datetime") for path in fields.get(kind, ())])
            chosen.append(f"{self._pick(_FUNCTIONS)}({moment})")
        groups = f"{keyword}({', '.join(chosen)})" if keyword else ", ".join(chosen)
        having = self._maybe(0.4, lambda: f" HAVING COUNT(Id) {self._pick(['>', '<=', '!='])} 1")
        order = self._maybe(0.4, lambda: f" ORDER BY COUNT(Id){self._direction()}")
        selected = ", ".join([*chosen, "COUNT(Id) n", f"MAX({self._pick(list(fields['datetime']))})"])
        return f"SELECT {selected} FROM {name}{self._where(name)} GROUP BY {groups}{having}{order}"

    def _orders(self, name: str) -> str:
        return ", ".join(f"{path}{self._direction()}" for path in self._paths(name, self._random.randint(1, 2)))

    def _direction(self) -> str:
        return self._pick(["", " ASC", " DESC"]) + self._pick(["", "", " NULLS FIRST", " NULLS LAST"])

    def _where(self, name: str) -> str:
        return self._maybe(0.7, lambda: f" WHERE {self._condition(name, depth=0)}")

    def _condition(self, name: str, *, depth: int) -> str:
        kind = self._random.random()
        if depth >= 3 or kind < 0.45:
            return self._comparison(name)
        if kind < 0.55:
            negated = self._condition(name, depth=depth + 1)
            # soql-parser-js loses a parenthesis of three negations in a row.
            return negated if negated.startswith("NOT (") else f"NOT ({negated})"
        operator = self._pick([" AND ", " OR "])
        return operator.join(self._unit(name, depth + 1) for _ in range(self._random.randint(2, 3)))

    def _unit(self, name: str, depth: int) -> str:
        condition = self._condition(name, depth=depth)
        plain = not re.search(r"\b(AND|OR|NOT \()", condition)
        return condition if plain else f"({condition})"

    def _comparison(self, name: str) -> str:
        kind = self._pick(sorted(SOURCES[name].fields))
        path = self._pick(list(SOURCES[name].fields[kind]))
        literals = _LITERALS[kind]
        way = self._random.random()
        if kind in ("text", "picklist") and way < 0.25:
            pattern = self._pick(["'a%'", "'_b%'", "'%'"])
            return f"{path} LIKE {pattern}"
        if way < 0.45 and kind != "boolean":
            values = ", ".join(self._pick(literals) for _ in range(self._random.randint(1, 3)))
            return f"{path} {self._pick(['IN', 'NOT IN'])} ({values})"
        if kind in ("date", "datetime") and way < 0.6:
            return f"{self._pick(_FUNCTIONS)}({path}) {self._pick(['=', '>', '<'])} {self._random.randint(1, 2030)}"
        operators = ["=", "!="] if kind in ("boolean", "id") else ["=", "!=", "<>", "<", "<=", ">", ">="]
        return f"{path} {self._pick(operators)} {self._pick(literals)}"

    def _case(self, text: str) -> str:
        """Now and then, keywords in lower case and other white space."""
        way = self._random.random()
        if way < 0.1:
            return re.sub(r"\b(SELECT|FROM|WHERE|AND|OR|NOT|ORDER BY|LIMIT|LIKE|IN)\b", lambda m: m[0].lower(), text)
        return text.replace(" FROM ", "\nFROM ") if way < 0.2 else text

    def spoil(self, text: str) -> str:
        """Leave out, double, exchange or put in one token."""
        tokens = re.findall(r"'(?:[^'\\]|\\.)*'|[\w.:+-]+|\s+|.", text, re.DOTALL)
        places = [place for place, token in enumerate(tokens) if token.strip()]
        place = self._random.choice(places)
        way = self._random.randrange(4)
        if way == 0:
            tokens[place] = ""
        elif way == 1:
            tokens[place] = f"{tokens[place]} {tokens[place]}"
        elif way == 2:
            other = self._random.choice(places)
            tokens[place], tokens[other] = tokens[other], tokens[place]
        else:
            added = self._pick(["AND", "NOT", "(", ")", ",", "FROM", "SELECT", "=", "1", "null", "LIMIT 5"])
            tokens[place] += f" {added}"
        return "".join(tokens)


def generated() -> list[str]:
    """Statements that Salesforce accepts."""
    return list(dict.fromkeys(Generator(seed).query() for seed in range(GENERATED)))


def spoiled() -> list[str]:
    """Statements with a mistake that may or may not matter."""
    found = []
    for seed in range(MISTAKES):
        generator = Generator(1_000_000 + seed)
        found.append(generator.spoil(generator.short()))
    return list(dict.fromkeys(found))
