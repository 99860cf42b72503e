"""The client of one org."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

import requests
from sfconnector_generated import API_VERSION
from sfconnector_generated.client import Transport
from sfconnector_generated.rest.api.query import query, query_all

from sfconnector._hooks import Hooks
from sfconnector._mixed import MixedRecords
from sfconnector._org import Org
from sfconnector._prepare import Body, Params, check_count
from sfconnector._query import Query
from sfconnector._records import RecordClass
from sfconnector._results import CallOptions, header
from sfconnector._retry import Retry
from sfconnector._search import Searches
from sfconnector._session import Seconds, Session
from sfconnector._sobjects import SObject
from sfconnector._streams import Streams

if TYPE_CHECKING:
    from sfconnector._actions import Actions
    from sfconnector._apex import Apex
    from sfconnector._bulk.bulk import Bulk
    from sfconnector._bulk_v1.bulk_v1 import BulkV1
    from sfconnector._composite import Composite
    from sfconnector._files import Files
    from sfconnector._reports import Reports
    from sfconnector._soap import Soap
    from sfconnector._usage import Usage
    from sfconnector._users import Users
    from sfconnector.auth import Auth

T = TypeVar("T")
Record = dict[str, Any]

# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-soslsoql.html
_LONGEST_QUERY: Final = 100_000
_FROM: Final = re.compile(r"\s*FROM\b", re.IGNORECASE)


class Salesforce(Org, Searches, MixedRecords, Streams):
    """A client of one org, for any number of threads.

    Nothing is sent before the first call, which logs in. As a context manager it closes its connections at
    the end.

    Args:
        auth: How to log in: a strategy of :mod:`sfconnector.auth`.
        api_version: The API version to speak, as ``"68.0"``; :meth:`versions` lists what the org offers.
        timeout: Seconds for connecting and for each wait for data, a pair of them, or a :class:`Timeout`; 10 and 120
            by default.
        retry: What is sent again, how often and how long.
        hooks: Functions that are told of requests, answers, retries and logins.
        proxies: As in requests, by scheme; by default those of the environment.
        verify: Whether to check the server's certificate, or the path of the CA bundle to check it by.
        cert: Path of a client certificate, or a pair of paths of certificate and key.
        max_connections: How many requests may run at the same time; further ones wait.
        client_name: Your program's name, for the User-Agent and the org's logs.
        http: A session of your own, whose adapters, proxies and certificates are used, and nothing else of it.

    Raises:
        ValueError, TypeError: An argument cannot be right.

    Example:
        >>> with Salesforce(auth.ClientCredentials(url, client_id, client_secret)) as sf:
        ...     sf.sobject("Account").create({"Name": "Acme"}).success
        True
    """

    def __init__(
        self,
        auth: Auth,
        *,
        api_version: str = API_VERSION,
        timeout: Seconds = None,
        retry: Retry = Retry(),  # noqa: B008  # an immutable value
        hooks: Hooks = Hooks(),  # noqa: B008  # an immutable value
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        max_connections: int = 10,
        client_name: str | None = None,
        http: requests.Session | None = None,
    ) -> None:
        self._session = Session(
            auth,
            api_version=api_version,
            timeout=timeout,
            retry=retry,
            hooks=hooks,
            proxies=proxies,
            verify=verify,
            cert=cert,
            max_connections=max_connections,
            client_name=client_name,
            http=http,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Make a client from the environment: ``SALESFORCE_AUTH`` names the login and the others its arguments.

        Args:
            environ: The variables; by default those of the process.

        Raises:
            ValueError: A variable is missing or wrong; the text names it.

        Example:
            >>> Salesforce.from_env({"SALESFORCE_AUTH": "sf_cli", "SALESFORCE_CLI_ALIAS": "dev"})
            <Salesforce, API 68.0>
        """
        variables = os.environ if environ is None else environ
        from sfconnector.auth import from_env

        login = from_env(variables)
        return cls(login, api_version=variables.get("SALESFORCE_API_VERSION") or API_VERSION)

    @overload
    def sobject(self, sobject: str) -> SObject[Record]: ...
    @overload
    def sobject(self, sobject: type[T]) -> SObject[T]: ...
    def sobject(self, sobject: str | type[T]) -> SObject[Record] | SObject[T]:
        """Give access to the records of an object.

        Args:
            sobject: The API name, such as ``"Account"``; or an attrs class or dataclass, whose records become its
                instances and whose name, or ``__sobject__``, is the object's.

        Raises:
            ValueError, TypeError: It is neither.

        Example:
            >>> sf.sobject("Account")
            <SObject Account>
        """
        if isinstance(sobject, str):
            return SObject(self._session, sobject)
        record_class = RecordClass.of(sobject)
        return SObject(self._session, record_class.sobject, record_class)

    @overload
    def query(
        self,
        soql: str,
        *,
        include_deleted: bool = False,
        batch_size: int | None = None,
        workers: int = 1,
        call_options: CallOptions | None = None,
    ) -> Query[Record]: ...
    @overload
    def query(
        self,
        soql: str,
        *,
        into: type[T],
        include_deleted: bool = False,
        batch_size: int | None = None,
        workers: int = 1,
        call_options: CallOptions | None = None,
    ) -> Query[T]: ...
    def query(
        self,
        soql: str,
        *,
        into: type[T] | None = None,
        include_deleted: bool = False,
        batch_size: int | None = None,
        workers: int = 1,
        call_options: CallOptions | None = None,
    ) -> Query[Record] | Query[T]:
        """Query records; nothing is sent before the first of them is asked for.

        A query that is too long for a URL goes out in the body of a composite request, up to Salesforce's own
        limit of 100,000 characters.

        With several ``workers`` pages are asked for before their turn, at the locators where they should be: a
        locator ends with the number of records before its page. The documentation's examples show that, other
        clients rely on it, and results stay readable for two days by any number of open cursors. But Salesforce
        does not promise it, and the SOAP API's pages ask to use a locator once, so it is off by default. Only a page
        with the expected total, number of records and next locator is handed out; after any surprise, such as
        smaller pages, all that is left is fetched one page after the other, as it is without workers. Order and
        records are the same either way. Up to twice as many pages as workers are held in memory. Queries with child
        relationships are not affected: asking for a page may end the cursors of another page's children.

        Args:
            soql: The query; :func:`soql` puts values into it. With ``into`` it may begin with ``FROM``, and
                the class decides what is selected.
            into: An attrs class or dataclass whose instances the records become.
            include_deleted: Also find records that are deleted or archived.
            batch_size: How many records Salesforce is to send at a time, from 200 to 2,000, without a guarantee.
            workers: How many pages may be asked for at the same time, see below; 1 asks for one after the other.
            call_options: The caller's name and default namespace.

        Raises:
            ValueError, TypeError: The query is blank or too long, or an argument cannot be right.
            ApiError: While iterating: Salesforce refused the query.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
            https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-apicursors.html

        Example:
            >>> [account["Name"] for account in sf.query("SELECT Name FROM Account ORDER BY Name LIMIT 1")]
            ['Acme']
        """
        if not isinstance(soql, str):
            raise TypeError(f"a query is a text, not a {type(soql).__name__}")
        if not soql.strip():
            raise ValueError("the query is blank")
        if batch_size is not None and batch_size not in range(200, 2001):
            raise ValueError(f"batch_size is {batch_size!r}, and Salesforce takes 200 to 2,000")
        check_count("workers", workers)
        record_class = None if into is None else RecordClass.of(into)
        if _FROM.match(soql):
            if record_class is None:
                raise ValueError("the query selects nothing: begin with SELECT, or give a class as into=")
            soql = f"SELECT {', '.join(record_class.select)} {soql.lstrip()}"
        if len(soql) > _LONGEST_QUERY:
            raise ValueError(f"the query has {len(soql):,} characters, and Salesforce takes {_LONGEST_QUERY:,}")
        request = (query_all if include_deleted else query).build(
            q=soql,
            sforce_query_options=None if batch_size is None else f"batchSize={batch_size}",
            sforce_call_options=header(call_options, CallOptions),
        )
        return Query(self._session, request, soql, record_class.decoder() if record_class else None, workers)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        json: Any = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout: Seconds = None,
        idempotent: bool | None = None,
    ) -> requests.Response:
        """Send any request to the org: logged in, repeated where that is safe, and checked.

        Args:
            method: The HTTP method.
            path: The path from ``/services/`` on, or a URL on the org's instance; percent-encoded.
            params: The query, not yet encoded.
            json: A value to send as JSON.
            data: A body to send as it is; ``headers`` names its type.
            headers: More headers.
            stream: Leave the body unread; close the answer when done with it.
            timeout: Seconds instead of the client's own.
            idempotent: Whether the request may be sent twice; by default GET, HEAD, OPTIONS and DELETE may.

        Raises:
            ValueError: The path leaves the instance.
            ApiError: Salesforce refused the request.
            TransportError: No answer came.

        Example:
            >>> sf.request("GET", "/services/data/v68.0/limits").json()["DailyApiRequests"]["Max"]
            100000
        """
        return self._session.request(
            method,
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            stream=stream,
            timeout=timeout,
            idempotent=idempotent,
        )

    @cached_property
    def bulk(self) -> Bulk:
        """Bulk jobs of the org."""
        from sfconnector._bulk.bulk import Bulk

        return Bulk(self._session)

    @cached_property
    def bulk_v1(self) -> BulkV1:
        """Bulk jobs of the org in batches of one's own, by Bulk API 1.0."""
        from sfconnector._bulk_v1.bulk_v1 import BulkV1

        return BulkV1(self._session)

    @cached_property
    def composite(self) -> Composite:
        """Several requests in one call: batches, composite requests, graphs and trees."""
        from sfconnector._composite import Composite

        return Composite(self._session)

    @cached_property
    def actions(self) -> Actions:
        """The org's invocable actions."""
        from sfconnector._actions import Actions

        return Actions(self._session)

    @cached_property
    def apex(self) -> Apex:
        """The web services of the org's own Apex classes."""
        from sfconnector._apex import Apex

        return Apex(self._session)

    @cached_property
    def files(self) -> Files:
        """Files, attachments and documents."""
        from sfconnector._files import Files

        return Files(self._session)

    @cached_property
    def reports(self) -> Reports:
        """The org's reports."""
        from sfconnector._reports import Reports

        return Reports(self._session)

    @cached_property
    def soap(self) -> Soap:
        """The conversion of leads, and what else only SOAP API can do."""
        from sfconnector._soap import Soap

        return Soap(self._session)

    @cached_property
    def users(self) -> Users:
        """The passwords of users."""
        from sfconnector._users import Users

        return Users(self._session)

    @property
    def api(self) -> Transport:
        """What every generated operation takes as ``client=``."""
        return self._session

    @property
    def instance_url(self) -> str:
        """The URL of the org's instance; logs in where that has not been done yet."""
        return self._session.instance_url

    @property
    def usage(self) -> Usage | None:
        """The org's API calls of the last 24 hours, as the last answer told; ``None`` before the first."""
        return self._session.usage

    def close(self) -> None:
        """Stop the listeners and close the connections; the login stays valid, since others may share it."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Salesforce, API {self.api_version}>"
