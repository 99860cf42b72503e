"""What a query takes from who asks: the user's time zone, locale and week, and the org's fiscal year.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
"""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sfconnector.testing import _soql
from sfconnector.testing._context import RequestContext
from sfconnector.testing._store import Store

# Where the week does not begin on Monday, of the countries of LocaleSidKey:
# https://github.com/unicode-org/cldr/blob/main/common/supplemental/supplementalData.xml
_SUNDAY: Final = re.compile(
    "AG|BD|BR|BS|BT|BW|BZ|CA|CO|DO|ET|GT|GU|HK|HN|ID|IL|IN|JM|JP|KE|KH|KR|LA|MH|MM|MO|MT|MX|MZ|NI|NP|PA|PE|PH|PK|PR|"
    "PT|PY|SA|SG|SV|TH|TT|TW|US|VE|WS|YE|ZA|ZW"
)
_SATURDAY: Final = re.compile("AE|AF|BH|DJ|DZ|EG|IQ|IR|JO|KW|LY|OM|QA|SD|SY")


def query_context(
    store: Store, context: RequestContext, now: datetime, *, include_deleted: bool = False
) -> _soql.Context:
    """Make the context of a query by the running user."""
    with store.transaction() as connection:
        user = connection.execute(
            'SELECT "TimeZoneSidKey", "LocaleSidKey" FROM "User" WHERE "Id" = ?', [context.user_id]
        ).fetchone()
        organization = connection.execute('SELECT "FiscalYearStartMonth" FROM "Organization"').fetchone()
    zone, locale = (user[0] or "GMT", user[1] or "en_US") if user else ("GMT", "en_US")
    return _soql.Context(
        user_id=context.user_id,
        now=now,
        timezone=ZoneInfo(zone),
        locale=locale,
        version=context.version,
        include_deleted=include_deleted,
        fiscal_year_start_month=(organization[0] if organization else None) or 1,
        first_weekday=_first_weekday(locale),
    )


def _first_weekday(locale: str) -> int:
    country = locale[3:5]
    return 6 if _SUNDAY.fullmatch(country) else 5 if _SATURDAY.fullmatch(country) else 0
