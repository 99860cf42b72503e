"""Who runs a query, when, and under which settings."""

from datetime import UTC, datetime, tzinfo

import attrs

from sfconnector.testing._soql._dates import Calendar


def _aware(_instance: object, _attribute: object, value: datetime) -> None:
    if value.utcoffset() is None:
        raise ValueError("now needs a time zone")


@attrs.frozen(kw_only=True)
class Context:
    """What the result of a query depends on besides its text and the records.

    Args:
        user_id: 18-character id of the running user, for ``USING SCOPE mine``.
        now: zone-aware instant on which date literals are based.
        timezone: the user's time zone, in which days begin and end.
        locale: the user's, for ``FORMAT()``.
        version: API version such as ``68.0``; it appears in every ``url``.
        include_deleted: whether records in the recycle bin are found, as ``queryAll`` does.
        fiscal_year_start_month: 1 to 12.
        first_weekday: first day of the user's week, 0 for Monday to 6 for Sunday (locale ``en_US``).

    Example:
        >>> Context(user_id="005000000000001AAA", now=datetime(2026, 3, 1, tzinfo=UTC)).calendar.today
        datetime.date(2026, 3, 1)
    """

    user_id: str
    now: datetime = attrs.field(validator=_aware)
    timezone: tzinfo = UTC
    locale: str = "en_US"
    version: str = "68.0"
    include_deleted: bool = False
    fiscal_year_start_month: int = 1
    first_weekday: int = 6

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.now, self.timezone, self.first_weekday, self.fiscal_year_start_month)

    @property
    def base_path(self) -> str:
        return f"/services/data/v{self.version}"
