"""Bulk API 1.0 over a plain ``requests`` session: no client of ours is in the way."""

from typing import Any
from xml.etree import ElementTree as ET

import requests

from sfconnector.testing import LocalOrg

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
MEDIA_TYPES = {"CSV": "text/csv", "JSON": "application/json", "XML": "application/xml"}


def job_xml(**facts: str) -> str:
    members = "".join(f"<{name}>{value}</{name}>" for name, value in facts.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{NAMESPACE}">{members}</jobInfo>'


def parse(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314  # the org under test is no stranger


def facts(content: bytes) -> dict[str, str]:
    """The members of a document by their names; all of them are in the namespace."""
    element = parse(content)
    prefix = f"{{{NAMESPACE}}}"
    assert all(child.tag.startswith(prefix) for child in element)
    return {child.tag.removeprefix(prefix): child.text or "" for child in element}


class AsyncApi:
    """Sends requests to paths below one API version."""

    def __init__(self, org: LocalOrg, version: str = "68.0") -> None:
        self.org = org
        self.base = f"/services/async/{version}"
        self.http = requests.Session()
        self.http.headers["X-SFDC-Session"] = org.access_token()

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 30)
        return self.http.request(method, f"{self.org.url}{self.base}/{path}", **options)

    def create_job(self, operation: str, sobject: str, content_type: str = "CSV", **more: Any) -> str:
        """Make a job by JSON; ``headers`` go with the request."""
        headers = more.pop("headers", {})
        wanted = {"operation": operation, "object": sobject, "contentType": content_type, **more}
        response = self("POST", "job", json=wanted, headers=headers)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def add_batch(self, job_id: str, data: str | bytes, media_type: str = "text/csv", **headers: str) -> str:
        content = data.encode() if isinstance(data, str) else data
        response = self("POST", f"job/{job_id}/batch", data=content, headers={"Content-Type": media_type, **headers})
        assert response.status_code == 201, response.text
        return str(info(response)["id"])

    def close(self, job_id: str) -> None:
        assert self("POST", f"job/{job_id}", json={"state": "Closed"}).status_code == 200

    def done(self, job_id: str, batch_id: str) -> dict[str, Any]:
        """Close the job, wait until its batches have ended and return what is told of one of them."""
        self.close(job_id)
        self.org.bulk.wait(job_id)
        return self.batch(job_id, batch_id)

    def batch(self, job_id: str, batch_id: str) -> dict[str, Any]:
        return info(self("GET", f"job/{job_id}/batch/{batch_id}"))

    def job(self, job_id: str) -> dict[str, Any]:
        return info(self("GET", f"job/{job_id}"))

    def result(self, job_id: str, batch_id: str) -> requests.Response:
        response = self("GET", f"job/{job_id}/batch/{batch_id}/result")
        assert response.status_code == 200, response.text
        return response

    def load(
        self, operation: str, sobject: str, data: str, content_type: str = "CSV", **more: Any
    ) -> requests.Response:
        """Let one batch be processed, and return its results."""
        job_id = self.create_job(operation, sobject, content_type, **more)
        batch_id = self.add_batch(job_id, data, MEDIA_TYPES[content_type])
        told = self.done(job_id, batch_id)
        assert told["state"] == "Completed", told
        return self.result(job_id, batch_id)

    def failure(self, operation: str, sobject: str, data: str | bytes, content_type: str = "CSV", **more: Any) -> str:
        """Let one batch fail, and return its message."""
        job_id = self.create_job(operation, sobject, content_type, **more)
        batch_id = self.add_batch(job_id, data, MEDIA_TYPES[content_type])
        told = self.done(job_id, batch_id)
        assert told["state"] == "Failed", told
        return str(told["stateMessage"])


def info(response: requests.Response) -> dict[str, Any]:
    """What an answer tells of a job or a batch, by its media type."""
    assert response.status_code in (200, 201), response.text
    if response.headers["Content-Type"] == "application/json":
        return dict(response.json())
    assert response.headers["Content-Type"] == "application/xml"
    return facts(response.content)


def error(response: requests.Response) -> tuple[int, str, str]:
    if response.headers["Content-Type"] == "application/json":
        told = response.json()
        assert set(told) == {"exceptionCode", "exceptionMessage"}
    else:
        assert response.headers["Content-Type"] == "application/xml"
        told = facts(response.content)
    return response.status_code, told["exceptionCode"], told["exceptionMessage"]
