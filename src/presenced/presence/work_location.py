"""Work location: the manual and the automatic layer, and how long they hold.

Sources: the pages presence-setmanuallocation, presence-setautomaticlocation, presence-clearlocation,
presence-clearautomaticlocation. Manual wins over automatic over scheduled (resolve.py); within a layer the more
precise signal wins, office with a building over office. How long a location holds is not documented; clearLocation
speaks of the current date, so here a location holds until the end of the person's day.
"""

from typing import get_args

import msgspec

from presenced.presence.record import Record, WorkLocation, WorkLocationType
from presenced.presence.refused import Refused, required
from presenced.presence.resolve import live
from presenced.presence.settle import settle
from presenced.presence.time_zones import end_of_day

LONGEST_PLACE_ID = 256
_TYPES: dict[str, WorkLocationType] = {name.casefold(): name for name in get_args(WorkLocationType)}


class SetLocation(msgspec.Struct, rename="camel"):
    """The body of setManualLocation and setAutomaticLocation."""

    work_location_type: str | None = None
    place_id: str | None = None


def check_set_location(request: SetLocation) -> WorkLocation:
    """The location ``request`` asks for. Raises Refused(InvalidArgument)."""
    if not request.work_location_type:
        raise required("WorkLocationType")
    kind = _TYPES.get(request.work_location_type.casefold())
    if kind is None:
        raise Refused("InvalidArgument", f"The provided [WorkLocationType] is none of {', '.join(_TYPES.values())}.")
    place = request.place_id or None
    if place is not None and len(place) > LONGEST_PLACE_ID:
        raise Refused("InvalidArgument", f"The provided [PlaceId] is longer than {LONGEST_PLACE_ID} characters.")
    return WorkLocation(kind, place)


def set_manual_location(record: Record, request: SetLocation, now: float) -> Record:
    """Set where the person says they work today. Raises Refused(InvalidArgument)."""
    place = _placed(record.manual_location, check_set_location(request), record, now)
    return settle(record, msgspec.structs.replace(record, manual_location=place), now)


def set_automatic_location(record: Record, request: SetLocation, now: float) -> Record:
    """Set where the person was detected today; other layers stay. Raises Refused(InvalidArgument)."""
    place = _placed(record.automatic_location, check_set_location(request), record, now)
    return settle(record, msgspec.structs.replace(record, automatic_location=place), now)


def clear_location(record: Record, request: object, now: float) -> Record:
    """Forget what was said and detected for the current date."""
    return settle(record, msgspec.structs.replace(record, manual_location=None, automatic_location=None), now)


def clear_automatic_location(record: Record, request: object, now: float) -> Record:
    """Forget what was detected; other layers stay."""
    return settle(record, msgspec.structs.replace(record, automatic_location=None), now)


def _placed(before: WorkLocation | None, asked: WorkLocation, record: Record, now: float) -> WorkLocation:
    place = asked.place_id
    if before is not None and live(before, now) and before.type == asked.type:
        place = place or before.place_id
    return WorkLocation(asked.type, place, end_of_day(now, record.time_zone))
