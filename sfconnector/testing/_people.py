"""What the org tells about the user behind a token."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sfconnector.testing._store import Store
from sfconnector.testing._tokens import Session

# https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_openid.htm
_URLS = {
    "enterprise": "/services/Soap/c/{version}/{organization}",
    "metadata": "/services/Soap/m/{version}/{organization}",
    "partner": "/services/Soap/u/{version}/{organization}",
    "rest": "/services/data/v{version}/",
    "sobjects": "/services/data/v{version}/sobjects/",
    "search": "/services/data/v{version}/search/",
    "query": "/services/data/v{version}/query/",
    "recent": "/services/data/v{version}/recent/",
    "tooling_soap": "/services/Soap/T/{version}/{organization}",
    "tooling_rest": "/services/data/v{version}/tooling/",
    "profile": "/{user}",
    "feeds": "/services/data/v{version}/chatter/feeds",
    "groups": "/services/data/v{version}/chatter/groups",
    "users": "/services/data/v{version}/chatter/users",
    "feed_items": "/services/data/v{version}/chatter/feed-items",
    "feed_elements": "/services/data/v{version}/chatter/feed-elements",
}
_FIELDS = (
    "Username",
    "Name",
    "FirstName",
    "LastName",
    "Email",
    "Alias",
    "TimeZoneSidKey",
    "LanguageLocaleKey",
    "LocaleSidKey",
    "UserType",
    "IsActive",
    "MobilePhone",
    "Street",
    "City",
    "State",
    "Country",
    "PostalCode",
    "LastModifiedDate",
)


class People:
    """Identity and OpenID Connect views of the ``User`` records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def userinfo(self, session: Session, url: str) -> dict[str, Any]:
        """The claims of ``/services/oauth2/userinfo``."""
        user = self._user(session)
        organization = self._store.organization_id
        return {
            "sub": f"{url}/id/{organization}/{session.user_id}",
            "user_id": session.user_id,
            "organization_id": organization,
            "preferred_username": user["Username"],
            "nickname": user["Alias"],
            "name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "given_name": user["FirstName"],
            "family_name": user["LastName"],
            "zoneinfo": user["TimeZoneSidKey"],
            "photos": self._photos(url),
            "profile": f"{url}/{session.user_id}",
            "picture": f"{url}/profilephoto/005/F",
            "address": {
                "street_address": user["Street"],
                "locality": user["City"],
                "region": user["State"],
                "country": user["Country"],
                "postal_code": user["PostalCode"],
            },
            "urls": self._urls(session, url, None),
            "active": user["IsActive"],
            "user_type": (user["UserType"] or "Standard").upper(),
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "utcOffset": _utc_offset(user["TimeZoneSidKey"]),
            "updated_at": user["LastModifiedDate"],
            "is_app_installed": True,
        }

    def identity(self, session: Session, url: str, version: str | None) -> dict[str, Any]:
        """The body of the identity URL; ``version`` fills in the place holder of its ``urls``."""
        user = self._user(session)
        organization = self._store.organization_id
        return {
            "id": f"{url}/id/{organization}/{session.user_id}",
            "asserted_user": True,
            "user_id": session.user_id,
            "organization_id": organization,
            "username": user["Username"],
            "nick_name": user["Alias"],
            "display_name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user["TimeZoneSidKey"],
            "photos": self._photos(url),
            "addr_street": user["Street"],
            "addr_city": user["City"],
            "addr_state": user["State"],
            "addr_country": user["Country"],
            "addr_zip": user["PostalCode"],
            "mobile_phone": user["MobilePhone"],
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "urls": self._urls(session, url, version),
            "active": user["IsActive"],
            "user_type": (user["UserType"] or "Standard").upper(),
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "utcOffset": _utc_offset(user["TimeZoneSidKey"]),
            "last_modified_date": user["LastModifiedDate"],
            "is_app_installed": True,
        }

    def _user(self, session: Session) -> dict[str, Any]:
        known = self._store.sobject("User").fields
        record = self._store.get(
            "User", session.user_id, [name for name in _FIELDS if name in known], self._store.context()
        )
        return dict.fromkeys(_FIELDS) | record

    def _urls(self, session: Session, url: str, version: str | None) -> dict[str, str]:
        organization = self._store.organization_id[:15]
        placed = {"version": version or "{version}", "organization": organization, "user": session.user_id}
        return {name: url + path.format(**placed) for name, path in _URLS.items()} | {"custom_domain": url}

    @staticmethod
    def _photos(url: str) -> dict[str, str]:
        return {"picture": f"{url}/profilephoto/005/F", "thumbnail": f"{url}/profilephoto/005/T"}


def _utc_offset(zone: str) -> int:
    """Milliseconds from UTC to a zone's standard time: recorded answers leave out daylight saving, in summer too."""
    now = datetime.now(UTC).astimezone(ZoneInfo(zone))
    standard = (now.utcoffset() or timedelta()) - (now.dst() or timedelta())
    return int(standard / timedelta(milliseconds=1))
