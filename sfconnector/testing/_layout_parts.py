"""What every layout is made of: fields in cells, two cells to a row, rows in sections, and buttons.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describelayout_describelayoutresult.htm
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._describe import describe_field
from sfconnector.testing._schema import Field, SObjectType

_COLUMNS = 2
# Where on the map an address is, is no part of what a page shows of it.
_GEOCODE = ("Latitude", "Longitude", "GeocodeAccuracy")
_LINES = {"multipicklist": 4, "textarea": 3}
_EMPTY_CELL: dict[str, Any] = {
    "editableForNew": False,
    "editableForUpdate": False,
    "label": "",
    "layoutComponents": [],
    "placeholder": True,
    "required": False,
}


def made_id(prefix: str, name: str) -> str:
    """Make the id of something that is derived and stored nowhere: the same name has the same id in every org."""
    return _ids.make(prefix, zlib.crc32(name.encode()))


def parts(sobject: SObjectType, field: Field) -> list[Field]:
    """Find the fields of which a compound field, an address or a person's name, is put together."""
    found = [part for part in sobject.fields.values() if part.compound_field_name == field.name]
    return [part for part in found if field.type != "address" or not part.name.endswith(_GEOCODE)]


def written(sobject: SObjectType, field: Field) -> list[Field]:
    """Find the fields which are written where a layout shows this one."""
    return parts(sobject, field) or [field]


def required(field: Field) -> bool:
    """Whether a record cannot be created without it."""
    return field.createable and not field.nillable and not field.defaulted_on_create and field.type != "boolean"


def label(field: Field) -> str:
    """Call a reference as its parent, not as the parent's id."""
    return field.label.removesuffix(" ID") if field.reference_to else field.label


@attrs.define
class Composer:
    """Writes one layout of an object; the tab positions count up with the fields that are placed.

    Args:
        sobject: the object whose fields are placed.
        layout_id: the layout's own id, ``None`` if it is none of the stored ones.
        tabs: how many fields have been placed.
    """

    sobject: SObjectType
    layout_id: str | None = None
    tabs: int = 0

    def section(self, heading: str | None, rows: Sequence[Sequence[dict[str, Any]]], *, shown: bool) -> dict[str, Any]:
        """Put rows of cells under a heading, which may be there without being shown."""
        has_id = self.layout_id is not None
        return {
            "collapsed": False,
            "columns": _COLUMNS,
            "heading": heading,
            "layoutRows": [{"layoutItems": list(row), "numItems": len(row)} for row in rows],
            "layoutSectionId": made_id("01B", f"{self.layout_id}/{heading}") if has_id else None,
            "parentLayoutId": self.layout_id,
            "rows": len(rows),
            "tabOrder": "LeftToRight",
            "useCollapsibleSection": shown,
            "useHeading": shown,
        }

    def rows(self, fields: Iterable[Field], columns: int = _COLUMNS) -> list[list[dict[str, Any]]]:
        """Place fields from left to right; what is left of the last row stays empty."""
        cells = [self.cell(field) for field in fields]
        cells += [dict(_EMPTY_CELL)] * (-len(cells) % columns)
        return [cells[start : start + columns] for start in range(0, len(cells), columns)]

    def cell(self, field: Field) -> dict[str, Any]:
        """Place a field, together with its parts if it has some."""
        written_to = written(self.sobject, field)
        return {
            "editableForNew": any(part.createable for part in written_to),
            "editableForUpdate": any(part.updateable for part in written_to),
            "label": label(field),
            "layoutComponents": [self.component(field)],
            "placeholder": False,
            "required": any(required(part) for part in written_to),
        }

    def stamp(self, user: Field, time: Field) -> dict[str, Any]:
        """Place a user and a time in one cell, as pages show who made a record and when."""
        first = self.component(user)
        comma = {"details": None, "displayLines": 1, "tabOrder": self.tabs, "type": "Separator", "value": ", "}
        return {**_EMPTY_CELL, "label": label(user), "layoutComponents": [first, comma, self.component(time)]} | {
            "placeholder": False
        }

    def component(self, field: Field) -> dict[str, Any]:
        """Build the field itself, without the cell around it."""
        compound = parts(self.sobject, field)
        tab = self.tabs + 1
        inner = [self.component(part) for part in compound]
        self.tabs = max(self.tabs, tab)
        built: dict[str, Any] = {
            "components": inner,
            "details": describe_field(field, self.sobject),
            "displayLines": _LINES.get(field.type, 1),
            "tabOrder": tab,
            "type": "Field",
            "value": field.name,
        }
        return built | ({"fieldType": field.type} if compound else {})


def button(name: str, text: str) -> dict[str, Any]:
    """Build a standard button."""
    return {
        "behavior": None,
        "colors": [],
        "content": None,
        "contentSource": None,
        "custom": False,
        "encoding": None,
        "height": None,
        "icons": [],
        "label": text,
        "menubar": False,
        "name": name,
        "overridden": False,
        "resizeable": False,
        "scrollbars": False,
        "showsLocation": False,
        "showsStatus": False,
        "toolbar": False,
        "url": None,
        "width": None,
        "windowPosition": None,
    }
