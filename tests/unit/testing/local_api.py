"""A plain ``requests`` session that is logged in to a local org: no client of ours is in the way."""

from typing import Any

import requests

from sfconnector.testing import LocalOrg


class Api:
    """Sends requests to paths below one API version."""

    def __init__(self, org: LocalOrg, version: str = "68.0") -> None:
        self.org = org
        self.base = f"/services/data/v{version}"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {org.access_token()}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        if not path.startswith("/services/"):
            path = f"{self.base}/{path}"
        options.setdefault("timeout", 30)
        return self.http.request(method, self.org.url + path, **options)

    def create(self, sobject: str, **values: Any) -> str:
        response = self("POST", f"sobjects/{sobject}", json=values)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])
