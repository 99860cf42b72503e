"""Another API version for every spec and the WSDL, without touching anything else in their text."""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from codegen._errors import CodegenError

# https://help.salesforce.com/s/articleView?id=000354473&type=1
_OLDEST = 31
# Three releases a year: this is past the middle of the century, and so a typing error.
_NEWEST = 199
_SOAP_ENDPOINT = re.compile(r"(?<=/services/Soap/u/)\d+\.0(?=[\"'/])")


def check_version(where: str, version: str) -> None:
    """Refuse what cannot be an API version of an org.

    Args:
        where: What gave the version, for the message.
        version: Like 68.0.

    Raises:
        CodegenError: It is no number like 68.0, or one that Salesforce has retired.
    """
    if not re.fullmatch(r"[1-9]\d{0,3}\.0", version, re.ASCII):
        raise CodegenError(where, [f"{version!r} is no API version; write it like 68.0"])
    number = int(version.partition(".")[0])
    if number < _OLDEST:
        raise CodegenError(where, [f"{version} is retired; the oldest that Salesforce serves is {_OLDEST}.0"])
    if number > _NEWEST:
        raise CodegenError(where, [f"{version} is far beyond any release; write it like 68.0"])


def bump_spec(where: str, text: str, version: str) -> str:
    """Put a version into ``info.version`` and the default of the server's ``version`` variable.

    Raises:
        CodegenError: One of the two is not there exactly once.
    """
    try:
        root = YAML().compose(text)
    except YAMLError as error:
        raise CodegenError(where, [f"not YAML: {error}"]) from error
    # An alias is the same node again: it is written once in the text.
    places = {
        "info.version": {id(node): node for node in _find(root, "info", "version")},
        "the default of the server variable version": {
            id(node): node for node in _anywhere(root, "servers", "*", "variables", "version", "default")
        },
    }
    for name, nodes in places.items():
        if len(nodes) != 1:
            raise CodegenError(where, [f"expected {name} exactly once, found it {len(nodes)} times"])
    targets = [node for nodes in places.values() for node in nodes.values()]
    for node in sorted(targets, key=lambda node: node.start_mark.index, reverse=True):
        text = f'{text[: node.start_mark.index]}"{version}"{text[node.end_mark.index :]}'
    return text


def bump_wsdl(where: str, text: str, version: str) -> str:
    """Put a version into the WSDL's endpoint.

    Raises:
        CodegenError: It does not name exactly one endpoint.
    """
    wsdl_version(where, text)
    return _SOAP_ENDPOINT.sub(version, text)


def wsdl_version(where: str, text: str) -> str:
    """The version in the WSDL's endpoint.

    Raises:
        CodegenError: It does not name exactly one endpoint.
    """
    if len(found := _SOAP_ENDPOINT.findall(text)) != 1:
        raise CodegenError(where, [f"expected one endpoint .../services/Soap/u/<version>, found {len(found)}"])
    (version,) = found
    return str(version)


def _find(node: Node | None, *path: str) -> Iterator[Any]:
    """The scalars below a node whose keys are those of the path; ``*`` is any item of a list."""
    if not path:
        if isinstance(node, ScalarNode):
            yield node
    elif isinstance(node, SequenceNode) and path[0] == "*":
        for item in node.value:
            yield from _find(item, *path[1:])
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == path[0]:
                yield from _find(value, *path[1:])


def _anywhere(node: Node, *path: str) -> Iterator[Any]:
    yield from _find(node, *path)
    children = (
        [value for _, value in node.value]
        if isinstance(node, MappingNode)
        else node.value
        if isinstance(node, SequenceNode)
        else []
    )
    for child in children:
        yield from _anywhere(child, *path)
