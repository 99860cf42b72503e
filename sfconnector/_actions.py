"""Invocable actions: what Salesforce provides and what the org adds, flows and Apex methods among it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

import requests
from sfconnector_generated.client import Request
from sfconnector_generated.errors import ParseError
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.actions import (
    describe_custom_action,
    describe_sobject_action,
    describe_standard_action,
    invoke_custom_action,
    invoke_sobject_action,
    invoke_standard_action,
    list_action_roots,
    list_custom_action_types,
    list_custom_actions,
    list_standard_actions,
)

from sfconnector._call import call, read
from sfconnector._records import encode
from sfconnector._results import error_details
from sfconnector._session import Seconds, Session
from sfconnector.errors import ActionError, InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import Action, ActionDescription, ActionResult

# Inside the class, ``list`` is its method.
ActionList: TypeAlias = "list[Action]"
ActionResults: TypeAlias = "list[ActionResult]"

_ROOT: Final = re.compile(r"/services/data/v\d+\.\d+/actions(?=/|$)")
_FORMS: Final = '"standard/emailSimple", "custom/apex/MyAction" or "custom/quickAction/Account/MyAction"'


class Actions:
    """The org's invocable actions; made by :attr:`Salesforce.actions`.

    A path is what follows ``/actions/``, with or without a slash in front, such as ``"standard/emailSimple"``,
    ``"custom/flow/MyFlow"`` or ``"custom/emailAlert/Account/MyAlert"``; the ``url`` of a listed action will do,
    and so will the bare name of a standard action.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_action.meta/api_action/actions_intro.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, path: str = "", *, timeout: Seconds = None) -> ActionList:
        """List actions, or the places where to find some.

        Args:
            path: ``"standard"`` or a type of custom actions, such as ``"custom/apex"``, lists actions. ``""`` and
                ``"custom"`` list the places below, each as an action without a type.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The path leads to no list.
            NotFoundError: There are no such actions.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_actions_invocable_get.htm

        Example:
            >>> [place.name for place in sf.actions.list()]
            ['standard', 'custom']
            >>> "emailSimple" in [action.name for action in sf.actions.list("standard")]
            True
        """
        session = self._session
        match _segments(path):
            case []:
                return _places(call(session, list_action_roots.build(), list_action_roots.parse, timeout=timeout))
            case ["custom"]:
                request = list_custom_action_types.build()
                return _places(call(session, request, list_custom_action_types.parse, timeout=timeout))
            case ["standard"]:
                request = list_standard_actions.build()
                return call(session, request, list_standard_actions.parse, timeout=timeout).actions
            case ["custom", kind]:
                request = list_custom_actions.build(kind)
                return call(session, request, list_custom_actions.parse, timeout=timeout).actions
            case _:
                raise ValueError(
                    f'{path!r} leads to no list of actions: give "", "standard", "custom" or "custom/apex"'
                )

    def describe(self, path: str, *, timeout: Seconds = None) -> ActionDescription:
        """Describe an action with its inputs and outputs.

        Args:
            path: Such as ``"standard/emailSimple"``.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The path leads to no action.
            NotFoundError: There is no such action.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_actions_invocable_standard.htm

        Example:
            >>> sf.actions.describe("emailSimple").name
            'emailSimple'
        """
        match _action(path):
            case ["standard", name]:
                request = describe_standard_action.build(name)
            case ["custom", kind, name]:
                request = describe_custom_action.build(kind, name)
            case ["custom", kind, sobject, name]:
                request = describe_sobject_action.build(kind, sobject, name)
        return call(self._session, request, describe_standard_action.parse, timeout=timeout)

    def invoke(
        self,
        path: str,
        inputs: Iterable[Mapping[str, Any]] = ({},),
        *,
        raise_on_failure: bool = True,
        timeout: Seconds = None,
    ) -> ActionResults:
        """Run an action once for each set of inputs, all in one request, which is never repeated by itself.

        Args:
            path: Such as ``"standard/emailSimple"``.
            inputs: One dict of input names and values for each run; by default one run without any.
            raise_on_failure: Raise where a run failed. ``False`` returns the results of all runs, the failed ones
                with ``is_success`` false and their ``errors``.
            timeout: Seconds instead of the client's own.

        Returns:
            One result for each set of inputs, in the same order, with its ``output_values``.

        Raises:
            ValueError, TypeError: The path leads to no action, there are no inputs, or a value has no JSON form.
            ActionError: Runs failed; it holds the results of all.
            ApiError: Salesforce refused the request as a whole.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_action.meta/api_action/actions_intro_invoking.htm

        Example:
            >>> email = {"emailAddresses": "marie@example.com", "emailSubject": "Radium", "emailBody": "It glows."}
            >>> [result.is_success for result in sf.actions.invoke("emailSimple", [email])]
            [True]
        """
        segments, body = _action(path), models.ActionRequest(inputs=_encode(inputs))
        match segments:
            case ["standard", name]:
                request = invoke_standard_action.build(name, body=body)
            case ["custom", kind, name]:
                request = invoke_custom_action.build(kind, name, body=body)
            case ["custom", kind, sobject, name]:
                request = invoke_sobject_action.build(kind, sobject, name, body=body)
        results = self._run(request, len(body.inputs), timeout)
        failed = [index for index, result in enumerate(results) if not result.is_success]
        if failed and raise_on_failure:
            raise ActionError("/".join(segments), tuple(results), failed[0], error_details(results[failed[0]].errors))
        return results

    def _run(self, request: Request, count: int, timeout: Seconds) -> ActionResults:
        response = self._session.send(request, timeout=timeout)
        # Where runs fail, their results come with the status of a refusal.
        if 400 <= response.status_code < 500 and (refused := _results(self._session, response)):
            return refused
        self._session.check(response)
        results = read(self._session, response, invoke_standard_action.parse)
        if len(results) < count:
            raise InvalidResponseError(response, f"the answer tells of {len(results)} runs, and {count} were asked for")
        return results

    def __repr__(self) -> str:
        return "<Actions>"


def _segments(path: object) -> list[str]:
    """Part a path below ``/actions`` into its segments."""
    if not isinstance(path, str):
        raise TypeError(f"the path of an action is a text, not a {type(path).__name__}")
    if listed := _ROOT.match(path):
        # As Salesforce wrote it, and so encoded.
        path = unquote(path[listed.end() :])
    segments = path.strip("/").split("/") if path.strip("/") else []
    if not all(segments):
        raise ValueError(f"the path {path!r} has an empty segment")
    return segments


def _action(path: object) -> list[str]:
    match segments := _segments(path):
        case [name] if name not in {"standard", "custom"}:
            return ["standard", name]
        case ["standard", _] | ["custom", _, _] | ["custom", _, _, _]:
            return segments
        case _:
            raise ValueError(f"{path!r} leads to no action: give a path such as {_FORMS}")


def _places(paths: Mapping[str, str]) -> list[Action]:
    return [models.Action(name=name, label=name, type="", url=url) for name, url in paths.items()]


def _encode(inputs: object) -> list[Any]:
    if isinstance(inputs, Mapping | str) or not isinstance(inputs, Iterable):
        raise TypeError("inputs is a list with one dict for each run: give [{…}] instead of {…}")
    encoded = [encode(each) for each in inputs]
    if not encoded:
        raise ValueError("there are no inputs, so nothing would run: give [{}] for a run without input values")
    return encoded


def _results(session: Session, response: requests.Response) -> list[ActionResult] | None:
    """Read the results of runs out of a refusal; ``None`` where it is about the request as a whole."""
    try:
        return invoke_standard_action.parse(session.decode(response))
    except (InvalidResponseError, ParseError):
        return None
