"""Lists of bulk jobs; the local org runs none yet, so they are empty.

https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-all-jobs.html
"""

from sfconnector.testing._http import Answer, Call
from sfconnector.testing._runtime import Runtime


def jobs(_runtime: Runtime, _call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/get-all-jobs.html"""
    return Answer(body={"done": True, "records": [], "nextRecordsUrl": None})
