"""The API descriptions as the tests read them, which is not how the generator does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import yaml

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
COMPOSED = {"oneOf", "anyOf", "allOf"}

Node = dict[str, Any]


@attrs.frozen
class Spec:
    """A description, its operations in its order."""

    text: str
    document: Node = attrs.field(init=False, repr=False)

    @document.default
    def _parse(self) -> Node:
        document: Node = yaml.safe_load(self.text)
        return document

    @property
    def operations(self) -> Iterator["Operation"]:
        document = self.document
        for path, item in document["paths"].items():
            yield from (Operation(document, path, method, item, item[method]) for method in METHODS if method in item)

    def schemas(self, kind: str) -> Iterator[tuple[str, Node]]:
        """Every schema of the answers or of the requests, with a name for messages."""
        for operation in self.operations:
            roots = operation.answers.values() if kind == "answers" else [operation.body, *operation.parameters]
            for root in roots:
                for schema in contents(root):
                    yield from schemas(operation.document, schema, operation.id, set())


@attrs.frozen
class Operation:
    """A method of a path; ``item`` is what all methods of the path share."""

    document: Node
    path: str
    method: str
    item: Node
    node: Node

    @property
    def id(self) -> str:
        return str(self.node.get("operationId", self.path))

    @property
    def server(self) -> str:
        """What the first server adds to the path, its variables still in it."""
        servers = self.node.get("servers") or self.item.get("servers") or self.document["servers"]
        url: str = servers[0]["url"]
        return url.removeprefix("https://{instance}")

    @property
    def parameters(self) -> list[Node]:
        return [
            resolve(self.document, each)
            for each in [*self.item.get("parameters", ()), *self.node.get("parameters", ())]
        ]

    @property
    def body(self) -> Node:
        return resolve(self.document, self.node.get("requestBody", {}))

    @property
    def answers(self) -> dict[str, Node]:
        return {status: resolve(self.document, each) for status, each in self.node["responses"].items()}


def resolve(document: Node, node: Node) -> Node:
    while "$ref" in node:
        reference, node = node["$ref"], document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    return node


def contents(node: Node) -> list[Node]:
    """The schemas of a body, an answer or a parameter."""
    return [each["schema"] for each in [node, *node.get("content", {}).values()] if "schema" in each]


def schemas(document: Node, node: Node, name: str, seen: set[str]) -> Iterator[tuple[str, Node]]:
    if "$ref" in node:
        if node["$ref"] in seen:
            return
        seen.add(node["$ref"])
        name = node["$ref"].rpartition("/")[2]
    node = resolve(document, node)
    yield name, node
    named = [(f"{name}.{key}", each) for key, each in node.get("properties", {}).items()]
    others = [node[key] for key in ("items", "additionalProperties") if isinstance(node.get(key), dict)]
    others += [each for key in COMPOSED for each in node.get(key, ())]
    for inner, each in [*named, *((name, each) for each in others)]:
        yield from schemas(document, each, inner, seen)
