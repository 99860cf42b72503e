"""What typed records are made of: the base class, the value of what is not set, and marks on types."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeVar

import attrs
from sfconnector_generated.types import UNSET as _UNSET

T = TypeVar("T")

# Any, so that it may be the default of an attribute of every type.
UNSET: Final[Any] = _UNSET
"""The value of an attribute that was neither read nor given; it is never written, whereas ``None`` empties a field."""


@attrs.frozen
class Writable:
    """Says of the type of an attribute when Salesforce takes its value."""

    create: bool
    update: bool


@attrs.frozen
class Offered:
    """Says of a type of literals that they are what Salesforce offers, and that older records may hold others."""


ReadOnly = Annotated[T, Writable(create=False, update=False)]
"""The type of an attribute whose field Salesforce alone writes: it is read, and left out of what is written."""

CreateOnly = Annotated[T, Writable(create=True, update=False)]
"""The type of an attribute whose field can be given to a new record, and not be changed: updates leave it out."""

UpdateOnly = Annotated[T, Writable(create=False, update=True)]
"""The type of an attribute whose field can be changed, and not be given to a new record: creates leave it out."""

Picklist = Annotated[T, Offered()]
"""The type of an attribute with the values that a restricted picklist offers.

Type checkers accept no others. What is read may be another text, since records keep values that the picklist has
offered before.
"""


class TypedRecord:
    """Base of the classes that ``python -m sfconnector.models`` writes; its repr leaves out what is not set."""

    __slots__ = ()
    __sobject__: ClassVar[str]

    def __repr__(self) -> str:
        values = ((field.name, getattr(self, field.name)) for field in attrs.fields(type(self)))  # type: ignore[arg-type]  # its subclasses are attrs classes
        given = ", ".join(f"{name}={value!r}" for name, value in values if value is not UNSET)
        return f"{type(self).__name__}({given})"
