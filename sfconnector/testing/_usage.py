"""API requests counted against the daily limit, and the list of all limits."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

_DAY = timedelta(hours=24)
_HOUR = timedelta(hours=1)

# Names and, where it has a say in nothing here, the maximum, as documented for a Developer Edition org.
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-limits.html
_MAXIMA = {
    "ActiveScratchOrgs": 3,
    "AnalyticsExternalDataSizeMB": 40_960,
    "BOZosCalloutHourlyLimit": 20_000,
    "CdpAiInferenceApiMonthlyLimit": 500_000_000,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentEinsteinDataInsightsStoryCreation": 5,
    "ConcurrentEinsteinDiscoveryStoryCreation": 2,
    "ConcurrentSyncReportRuns": 20,
    "DailyAnalyticsDataflowJobExecutions": 60,
    "DailyAnalyticsUploadedFilesSizeMB": 51_200,
    "DailyAsyncApexExecutions": 250_000,
    "DailyAsyncApexTests": 500,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDeliveredPlatformEvents": 10_000,
    "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyEinsteinDataInsightsStoryCreation": 1_000,
    "DailyEinsteinDiscoveryOptimizationJobRuns": 25,
    "DailyEinsteinDiscoveryPredictAPICalls": 50_000,
    "DailyEinsteinDiscoveryPredictionsByCDC": 500_000,
    "DailyEinsteinDiscoveryStoryCreation": 100,
    "DailyFunctionsApiCallLimit": 235_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 390,
    "DataStorageMB": 5,
    "DurableStreamingApiConcurrentClients": 20,
    "FileStorageMB": 20,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyElevateAsyncReportRuns": 1_200,
    "HourlyElevateSyncReportRuns": 500,
    "HourlyLongTermIdMapping": 100_000,
    "HourlyManagedContentPublicRequests": 50_000,
    "HourlyODataCallout": 1_000,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlyShortTermIdMapping": 100_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 10,
    "MonthlyEinsteinDiscoveryStoryCreation": 500,
    "MonthlyPlatformEvents": 300_000,
    "MonthlyPlatformEventsUsageEntitlement": 0,
    "Package2VersionCreates": 6,
    "Package2VersionCreatesWithoutValidation": 500,
    "PrivateConnectOutboundCalloutHourlyLimitMB": 0,
    "PublishCallbackUsageInApex": 5_242_880,
    "SingleEmail": 15,
    "StreamingApiConcurrentClients": 20,
}

# What /limits does not tell.
# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-bulkapi.html
_UNLISTED = {"DailyBulkApiRecords": 150_000_000}


class Usage:
    """Counts requests over 24 hours by the org's clock; thread-safe.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers-api-usage.html
    """

    def __init__(self, maximum: int, clock: Callable[[], datetime]) -> None:
        self.maximum = maximum
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._used = 0
        self._taken: defaultdict[str, deque[tuple[datetime, int]]] = defaultdict(deque)
        self._maxima = {**_MAXIMA, **_UNLISTED}

    def count(self) -> bool:
        """Count one request; ``False`` if the limit had been reached before it."""
        with self._lock:
            self._renew()
            if self._used >= self.maximum:
                return False
            self._used += 1
            return True

    def take(self, name: str, amount: int = 1) -> bool:
        """Use a limit of ``/limits`` that is not about requests; ``False`` if too little is left of it."""
        with self._lock:
            if self._left(name) < amount:
                return False
            self._taken[name].append((self._clock(), amount))
            return True

    def left(self, name: str) -> int:
        """How much is left of a limit."""
        with self._lock:
            return self._left(name)

    def limit(self, name: str, maximum: int) -> None:
        """Set the maximum of a limit."""
        with self._lock:
            self._maxima[name] = maximum

    def _left(self, name: str) -> int:
        taken = self._taken[name]
        span = _DAY if name.startswith("Daily") else _HOUR
        while taken and self._clock() - taken[0][0] >= span:
            taken.popleft()
        return max(0, self._maxima[name] - sum(amount for _, amount in taken))

    @property
    def used(self) -> int:
        with self._lock:
            self._renew()
            return self._used

    def _renew(self) -> None:
        now = self._clock()
        if now - self._since >= _DAY:
            self._since, self._used = now, 0

    @property
    def header(self) -> str:
        """Value of ``Sforce-Limit-Info``."""
        return f"api-usage={self.used}/{self.maximum}"

    def limits(self) -> dict[str, Any]:
        """The body of ``/limits``."""
        with self._lock:
            limits: dict[str, Any] = {
                name: {"Max": self._maxima[name], "Remaining": self._left(name) if name in self._taken else maximum}
                for name, maximum in self._maxima.items()
                if name not in _UNLISTED
            }
        limits["DailyApiRequests"] = {"Max": self.maximum, "Remaining": self.maximum - self.used}
        permission_sets = {"Max": 1_500, "Remaining": 1_500}
        limits["PermissionSets"] = permission_sets | {"CreateCustom": {"Max": 1_000, "Remaining": 1_000}}
        return dict(sorted(limits.items()))
