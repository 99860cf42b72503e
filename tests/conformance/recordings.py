"""Answers of Salesforce as others recorded them, for tests that replay them or compare with them."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

# Recorders scrubbed some versions to this.
SCRUBBED = "xx.0"


@attrs.frozen
class Exchange:
    """A request and Salesforce's answer to it."""

    id: str
    category: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    request_body: str = attrs.field(repr=False)
    status: int
    headers: Mapping[str, str]
    body: str = attrs.field(repr=False)
    version: str
    edited: bool

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Exchange":
        request, response = line["request"], line["response"]
        return cls(
            id=line["id"],
            category=line["category"],
            method=request["method"],
            path=request["path"],
            query=tuple((name, value) for name, value in request["query"]),
            request_body=request["body"] or "",
            status=response["status"],
            headers=response["headers"],
            body=response["body"] or "",
            version=line["api_version"] or SCRUBBED,
            edited=(line["source"]["note"] or "").startswith("hand-edited"),
        )

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def sent(self) -> Any:
        """The body of the request; a recording has a second one pasted behind it."""
        return json.JSONDecoder().raw_decode(self.request_body)[0]

    @property
    def params(self) -> dict[str, str]:
        return dict(self.query)

    @property
    def resource(self) -> list[str]:
        """The segments of the path below the version."""
        return [segment for segment in self.path.split("/") if segment][3:]


@attrs.define(slots=False)
class Recordings:
    """The files of a folder, each read when it is first needed."""

    folder: Path

    @cached_property
    def exchanges(self) -> dict[str, Exchange]:
        found = (
            Exchange.of(json.loads(line))
            for file in sorted(self.folder.glob("*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()
        )
        return {exchange.id: exchange for exchange in found}

    @cached_property
    def sequences(self) -> dict[str, list[Exchange]]:
        """Exchanges in the order in which they were recorded, by the name of the recording."""
        found: dict[str, list[Exchange]] = {}
        for file in sorted(self.folder.glob("*.sequences.json")):
            for name, ids in json.loads(file.read_text(encoding="utf-8")).items():
                found[name] = [self.exchanges[each] for each in ids]
        return found

    @cached_property
    def bodies(self) -> dict[str, Mapping[str, Any]]:
        """Bodies without their requests, by the last parts of their names."""
        text = (self.folder / "bodies.json").read_text(encoding="utf-8")
        return {entry["id"]: entry for entry in json.loads(text)}

    @cached_property
    def transcripts(self) -> list[Mapping[str, Any]]:
        """Exchanges that were quoted in public threads."""
        found: list[Mapping[str, Any]] = json.loads((self.folder / "transcripts.json").read_text(encoding="utf-8"))
        return found

    def of(self, *categories: str, status: int | None = None) -> list[Exchange]:
        """The exchanges of some categories."""
        found = [
            each
            for each in self.exchanges.values()
            if each.category in categories and (status is None or each.status == status)
        ]
        assert found, f"nothing is recorded of {categories}"
        return found

    def body(self, name: str) -> str:
        """A body by the end of its name."""
        found = [entry["body"] for key, entry in self.bodies.items() if key.endswith(name)]
        assert len(found) == 1, f"{len(found)} bodies are named {name}"
        return str(found[0])
