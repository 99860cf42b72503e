"""Python functions in the place of Apex classes and flows: the part of `LocalOrg` that takes them.

They may be added before the org is started, and outlive a restart.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sfconnector.testing import _custom_actions
from sfconnector.testing._actions import Actions, ActionType
from sfconnector.testing._apex import METHODS, ApexClasses, ApexFunction

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Functions:
    """What an org can do besides what every org can."""

    def __init__(self) -> None:
        self._apex_classes = ApexClasses()
        self._invocable_actions = Actions()

    def apex(
        self, url_mapping: str, *, methods: str | Iterable[str] = METHODS
    ) -> Callable[[ApexFunction], ApexFunction]:
        """Let the decorated function serve an Apex REST resource; it takes an `ApexRequest`.

        What it returns is answered as JSON, ``bytes`` as they are, ``None`` as an empty body, an `ApexResponse` with
        its status and headers. What it raises is a 500 ``APEX_ERROR``. It runs in a thread of its own, and may call
        this org.

        Args:
            url_mapping: what follows ``/services/apexrest``, such as ``/orders/v1/*``.
            methods: verbs that it serves, all five if not given.

        Example:
            >>> from sfconnector.testing import ApexRequest, LocalOrg
            >>> with LocalOrg() as org:
            ...     @org.apex("/orders/v1/*", methods="GET")
            ...     def order(request: ApexRequest) -> dict[str, str]:
            ...         return {"number": request.segments[0]}
        """

        def add(function: ApexFunction) -> ApexFunction:
            self.add_apex(url_mapping, function, methods=methods)
            return function

        return add

    def add_apex(self, url_mapping: str, function: ApexFunction, *, methods: str | Iterable[str] = METHODS) -> None:
        """Let a function serve an Apex REST resource; see `apex`.

        Raises:
            ValueError: the mapping or a verb is malformed, or served already.
        """
        self._apex_classes.add(url_mapping, function, methods)

    def action(
        self,
        kind: ActionType,
        name: str,
        *,
        inputs: _custom_actions.Definitions = None,
        outputs: _custom_actions.Definitions = None,
        label: str | None = None,
        description: str = "",
        sobject: str | None = None,
    ) -> Callable[[_Function], _Function]:
        """Let the decorated function be an invocable action; it takes the input values of one run as a dict.

        It returns the outputs by name, or nothing; any other value is the output named ``output``. What it raises is
        a failed result: for a flow that of its input, for Apex that of every input of the call.

        Args:
            kind: ``apex``, ``flow`` or ``emailAlert``.
            name: API name.
            inputs: name to definition, such as ``{"sku": "STRING required = Stock number"}``; any if not given.
            outputs: as ``inputs``; they are described and not checked.
            label: label, made of the name if not given.
            description: what a description of the action says of it.
            sobject: for an e-mail alert, the object that it belongs to.

        Example:
            >>> from sfconnector.testing import LocalOrg
            >>> with LocalOrg() as org:
            ...     @org.action("flow", "Ship_Order", inputs={"orderId": "ID required"}, outputs=["tracking"])
            ...     def ship(values: dict[str, str]) -> dict[str, str]:
            ...         return {"tracking": f"T-{values['orderId']}"}
        """

        def add(function: _Function) -> _Function:
            self.add_action(
                kind,
                name,
                function,
                inputs=inputs,
                outputs=outputs,
                label=label,
                description=description,
                sobject=sobject,
            )
            return function

        return add

    def add_action(
        self,
        kind: ActionType,
        name: str,
        function: _custom_actions.ActionFunction,
        *,
        inputs: _custom_actions.Definitions = None,
        outputs: _custom_actions.Definitions = None,
        label: str | None = None,
        description: str = "",
        sobject: str | None = None,
    ) -> None:
        """Let a function be an invocable action; see `action`.

        Raises:
            ValueError: the kind, the name or a definition is malformed, or the action exists.
        """
        made = _custom_actions.make(
            kind,
            name,
            function,
            inputs=inputs,
            outputs=outputs,
            label=label,
            description=description,
            sobject=sobject,
        )
        self._invocable_actions.add(kind, made)
