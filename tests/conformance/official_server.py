"""The official CometD server in a process of its own, made to behave as Salesforce: see node/cometd_server.mjs."""

import json
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import node_client
import requests

CHANNEL = "/data/AccountChangeEvent"
# Seconds; nothing here takes as long unless it hangs.
PATIENCE = 30


class OfficialServer:
    """A server whose events outlive it.

    Args:
        folder: Where it keeps them.
        options: Of the server, in milliseconds: ``timeout``, ``maxInterval``, ``interval``.
    """

    def __init__(self, folder: Path, **options: int) -> None:
        self._options: dict[str, Any] = {"log": str(folder / "events.jsonl"), **options}
        self._process: subprocess.Popen[str] | None = None
        self._http = requests.Session()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._options['port']}"

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile("w+")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._http.close()
        self._errors.seek(0)
        said = self._errors.read()
        self._errors.close()
        assert not said or error is not None, said

    def start(self) -> None:
        """Start it; again, on the same port and with the events that there were."""
        self._process = subprocess.Popen(
            ["node", "cometd_server.mjs", json.dumps(self._options)],
            cwd=node_client.FOLDER,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdout is not None
        self._options["port"] = json.loads(self._process.stdout.readline())["port"]

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def restart(self) -> None:
        """Have it crash and come back."""
        self.kill()
        self.start()

    def control(self, do: str, **given: Any) -> dict[str, Any]:
        """Steer it; the script lists what it can be told."""
        answer = self._http.post(f"{self.url}/control", json={"do": do, **given}, timeout=PATIENCE)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def publish(self, number: int, *, channel: str = CHANNEL, at: datetime | None = None, do: str = "publish") -> int:
        """Publish a change that holds a number, or only append it to the log; gives its replay id."""
        moment = datetime.now(UTC) if at is None else at
        header = {
            "entityName": "Account",
            "changeType": "CREATE",
            "recordIds": ["001000000000001AAA"],
            "transactionKey": f"0000{number:04}-0000",
            "sequenceNumber": 1,
            "commitTimestamp": int(moment.timestamp() * 1000),
        }
        data = {"schema": "schema", "payload": {"ChangeEventHeader": header, "NumberOfEmployees": number}}
        replay_id = self.control(do, channel=channel, data=data)["id"]
        assert isinstance(replay_id, int)
        return replay_id

    def spoil(self, fault: str, times: int = 1) -> None:
        """Have the next answers to polls go wrong; one that is held now is the first of them."""
        self.control("fault", kind=fault, times=times)
        if fault not in ("lose", "half"):
            # These strike polls that come; the one that is held is let go.
            self.control("wake")

    def settle(self, channel: str = CHANNEL) -> None:
        """Wait until somebody listens to the channel, and all faults have struck."""
        self.control("settled", channel=channel)

    def await_subscribes(self, times: int) -> None:
        """Wait until clients have asked for channels so many times, since the server was started."""
        self.control("subscribed", times=times)

    def await_desertion(self) -> None:
        """Wait until the last session has ended or expired."""
        self.control("deserted")

    def state(self) -> dict[str, Any]:
        """Tell what has happened so far."""
        return self.control("state")
