"""Jobs of Bulk API 2.0 as a client asks for them."""

import csv
import io
from typing import Any

import attrs
import requests
from local_api import Api

Row = dict[str, str]


def rows(response: requests.Response) -> list[Row]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


@attrs.frozen
class Ingest:
    """An ingest job, and what can be asked of it."""

    api: Api
    id: str

    @property
    def path(self) -> str:
        return f"jobs/ingest/{self.id}"

    def info(self) -> dict[str, Any]:
        return dict(self.api("GET", self.path).json())

    def put(self, data: Any, **headers: str) -> requests.Response:
        headers = {"Content-Type": "text/csv", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.api("PUT", f"{self.path}/batches", data=data, headers=headers)

    def change(self, state: str) -> requests.Response:
        return self.api("PATCH", self.path, json={"state": state})

    def finish(self) -> dict[str, Any]:
        """Close the job and wait for its end."""
        closed = self.change("UploadComplete")
        assert closed.status_code == 200, closed.text
        self.api.org.bulk.wait(self.id)
        return self.info()

    def successful(self) -> list[Row]:
        return rows(self.api("GET", f"{self.path}/successfulResults"))

    def failed(self) -> list[Row]:
        return rows(self.api("GET", f"{self.path}/failedResults"))

    def unprocessed(self) -> list[Row]:
        return rows(self.api("GET", f"{self.path}/unprocessedrecords/"))


def ingest(api: Api, operation: str = "insert", sobject: str = "Account", **properties: Any) -> Ingest:
    """Create a job."""
    response = api("POST", "jobs/ingest", json={"operation": operation, "object": sobject, **properties})
    assert response.status_code == 200, response.text
    return Ingest(api, response.json()["id"])


def load(api: Api, operation: str, sobject: str, data: str, **properties: Any) -> Ingest:
    """Let a job run from its beginning to its end."""
    job = ingest(api, operation, sobject, **properties)
    uploaded = job.put(data.encode())
    assert uploaded.status_code == 201, uploaded.text
    job.finish()
    return job


def query(api: Api, soql: str, operation: str = "query", **properties: Any) -> str:
    """Let a query job run to its end and return its id."""
    response = api("POST", "jobs/query", json={"operation": operation, "query": soql, **properties})
    assert response.status_code == 200, response.text
    job_id = str(response.json()["id"])
    api.org.bulk.wait(job_id)
    return job_id
