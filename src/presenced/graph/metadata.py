"""Metadata: ``$metadata`` and the service document, which tell tools what there is at this service root.

Sources: OData 4.0 protocol, part 11.1, and Graph's own documents, which it serves without a token. ``$metadata`` is XML
whatever ``Accept`` says: clients send the same header for it as for everything else.
"""

from collections.abc import Iterable
from functools import cache
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from presenced.graph.call import Answer, Call
from presenced.graph.errors import GraphError
from presenced.graph.model import (
    ACTIONS,
    COMPLEX_TYPES,
    ENTITIES,
    ENTITY_SETS,
    ENUMS,
    SINGLETONS,
    Action,
    Entity,
    Property,
)
from presenced.graph.operation import Operation, Parts
from presenced.graph.query import read_query

XML = "application/xml"

NAMESPACE = "microsoft.graph"


@cache
def csdl() -> bytes:
    """The model as CSDL XML 4.0."""
    root = Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": "http://docs.oasis-open.org/odata/ns/edmx"})
    services = SubElement(root, "edmx:DataServices")
    schema = SubElement(
        services,
        "Schema",
        {"Namespace": NAMESPACE, "Alias": "graph", "xmlns": "http://docs.oasis-open.org/odata/ns/edm"},
    )
    for name, members in ENUMS.items():
        enum = SubElement(schema, "EnumType", Name=name)
        for value, member in enumerate(members):
            SubElement(enum, "Member", Name=member, Value=str(value))
    for name, properties in COMPLEX_TYPES.items():
        _add_properties(SubElement(schema, "ComplexType", Name=name), properties)
    for name, entity in ENTITIES.items():
        _add_entity(schema, name, entity)
    for name, action in ACTIONS.items():
        _add_action(schema, name, action)
    container = SubElement(schema, "EntityContainer", Name="GraphService")
    for name, kind in ENTITY_SETS.items():
        SubElement(container, "EntitySet", Name=name, EntityType=f"{NAMESPACE}.{kind}")
    for name, kind in SINGLETONS.items():
        SubElement(container, "Singleton", Name=name, Type=f"{NAMESPACE}.{kind}")
    written: bytes = tostring(root, "utf-8", xml_declaration=True)
    return written


def _add_entity(schema: Element, name: str, entity: Entity) -> None:
    element = SubElement(schema, "EntityType", Name=name)
    if entity.base is not None:
        element.set("BaseType", entity.base)
    if entity.abstract:
        element.set("Abstract", "true")
    if entity.is_open:
        element.set("OpenType", "true")
    if name == "entity":
        SubElement(SubElement(element, "Key"), "PropertyRef", Name="id")
    _add_properties(element, entity.properties)
    for navigation in entity.navigations:
        SubElement(element, "NavigationProperty", Name=navigation.name, Type=navigation.type, ContainsTarget="true")


def _add_action(schema: Element, name: str, action: Action) -> None:
    element = SubElement(schema, "Action", Name=name, IsBound="true")
    SubElement(element, "Parameter", Name="bindingParameter", Type=action.binding)
    for parameter in action.parameters:
        added = SubElement(element, "Parameter", _described(parameter))
        if "Edm.String" in parameter.type:
            added.set("Unicode", "false")
    if action.returns is not None:
        SubElement(element, "ReturnType", Type=action.returns)


def _add_properties(element: Element, properties: Iterable[Property]) -> None:
    for declared in properties:
        SubElement(element, "Property", _described(declared))


def _described(declared: Property) -> dict[str, str]:
    described = {"Name": declared.name, "Type": declared.type}
    return described if declared.nullable else {**described, "Nullable": "false"}


def _read_metadata_query(call: Call) -> None:
    _read_format(call, ("xml", XML), "Metadata is XML: $format is xml, or left out.")


def _read_service_query(call: Call) -> None:
    _read_format(call, ("json", "application/json"), "The service document is JSON: $format is json, or left out.")


def _read_format(call: Call, formats: tuple[str, ...], otherwise: str) -> None:
    read_query(call.query, (), "service", ("$format",))
    asked = {name.lower(): values[-1] for name, values in parse_qs(call.query).items()}.get("$format", formats[0])
    if asked.partition(";")[0].strip().lower() not in formats:
        raise GraphError(400, "BadRequest", otherwise)


async def _metadata(parts: Parts, call: Call, request: None) -> Answer:
    return Answer(200, csdl(), content_type=XML)


class ServiceResource(msgspec.Struct):
    """One thing at the service root (OData JSON format 4.0, section 5)."""

    name: str
    kind: str
    url: str


async def _service(parts: Parts, call: Call, request: None) -> Answer:
    sets = [ServiceResource(name, "EntitySet", name) for name in ENTITY_SETS]
    singletons = [ServiceResource(name, "Singleton", name) for name in SINGLETONS]
    # its context is the metadata document itself, without a fragment
    return Answer(200, msgspec.json.encode({"@odata.context": f"{call.base}/$metadata", "value": sets + singletons}))


OPERATIONS = (
    Operation("getServiceDocument", "GET", ("",), None, _service, _read_service_query, anonymous=True,
              gives=ServiceResource, many=True),
    Operation("getMetadata", "GET", ("$metadata",), None, _metadata, _read_metadata_query, anonymous=True),
)  # fmt: skip
