"""CSDL: an OData schema read into plain values, safely, so that two can be compared and answers held against one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

NAMESPACES = {"edm": "http://docs.oasis-open.org/odata/ns/edm", "edmx": "http://docs.oasis-open.org/odata/ns/edmx"}
MICROSOFT = Path(__file__).with_name("graph-presence.csdl.xml")


class Member(NamedTuple):
    """A property or a parameter."""

    type: str
    nullable: bool
    unicode: bool = True


@dataclass
class Type:
    """A complex or an entity type."""

    kind: str
    base: str | None
    abstract: bool
    is_open: bool
    keys: list[str]
    properties: dict[str, Member] = field(default_factory=dict)
    navigations: dict[str, str] = field(default_factory=dict)


class Action(NamedTuple):
    """A bound action."""

    binding: str
    parameters: dict[str, Member]
    returns: str | None


@dataclass
class Schema:
    """Everything in a schema, by name."""

    enums: dict[str, dict[str, int]]
    types: dict[str, Type]
    actions: dict[str, Action]
    container: dict[str, str]

    def members(self, name: str) -> dict[str, Member]:
        """The properties of a type and of those it extends."""
        declared = self.types[name]
        inherited = self.members(short(declared.base)) if declared.base else {}
        return inherited | declared.properties


def short(name: str) -> str:
    """A type's name without its namespace."""
    return name.removeprefix("microsoft.").removeprefix("graph.")


def read(text: str) -> Schema:
    """A CSDL XML document. Entities and references to elsewhere in it are refused."""
    root = fromstring(text, forbid_dtd=True)
    assert root.get("Version") == "4.0"
    (schema,) = root.findall("edmx:DataServices/edm:Schema", NAMESPACES)
    assert schema.get("Namespace") == "microsoft.graph"
    assert schema.get("Alias") == "graph"
    return Schema(
        {_name(enum): _enum(enum) for enum in _all(schema, "EnumType")},
        {_name(found): _type(found) for kind in ("ComplexType", "EntityType") for found in _all(schema, kind)},
        {_name(action): _action(action) for action in _all(schema, "Action")},
        {
            _name(found): short(str(found.get("EntityType") or found.get("Type")))
            for kind in ("EntitySet", "Singleton")
            for found in _all(schema, f"EntityContainer/edm:{kind}")
        },
    )


def _all(element: Element, tag: str) -> list[Element]:
    return element.findall(f"edm:{tag}", NAMESPACES)


def _name(element: Element) -> str:
    return str(element.get("Name"))


def _enum(element: Element) -> dict[str, int]:
    return {_name(member): int(str(member.get("Value"))) for member in _all(element, "Member")}


def _member(element: Element) -> Member:
    return Member(
        str(element.get("Type")), element.get("Nullable", "true") == "true", element.get("Unicode", "true") == "true"
    )


def _type(element: Element) -> Type:
    return Type(
        element.tag.rpartition("}")[2],
        element.get("BaseType"),
        element.get("Abstract") == "true",
        element.get("OpenType") == "true",
        [_name(key) for key in _all(element, "Key/edm:PropertyRef")],
        {_name(found): _member(found) for found in _all(element, "Property")},
        {
            _name(found): f"{found.get('Type')} ContainsTarget={found.get('ContainsTarget')}"
            for found in _all(element, "NavigationProperty")
        },
    )


def _action(element: Element) -> Action:
    assert element.get("IsBound") == "true"
    binding, *parameters = _all(element, "Parameter")
    returned = _all(element, "ReturnType")
    return Action(
        short(str(binding.get("Type"))),
        {_name(parameter): _member(parameter) for parameter in parameters},
        str(returned[0].get("Type")) if returned else None,
    )
