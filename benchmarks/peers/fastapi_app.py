"""The FastAPI app: the same call as one writes it from FastAPI's tutorial. Run by peers/fastapi.py under uvicorn."""

import json
import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

CONTEXT = "http://127.0.0.1/v1.0/$metadata#Collection(microsoft.graph.presence)"


class Model(BaseModel):
    """Python's names in code, Graph's on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ItemBody(Model):
    """A text."""

    content: str
    content_type: str


class StatusMessage(Model):
    """What a person says of themself."""

    message: ItemBody


class OutOfOfficeSettings(Model):
    """Whether a person is out of office, and their message."""

    message: str | None
    is_out_of_office: bool


class WorkLocation(Model):
    """Where a person works."""

    place_id: str | None
    source: str
    work_location_type: str


class Presence(Model):
    """A person's presence."""

    id: str
    availability: str
    activity: str
    status_message: StatusMessage | None
    out_of_office_settings: OutOfOfficeSettings | None
    work_location: WorkLocation | None
    sequence_number: str | None


class PresencesRequest(Model):
    """Whom the caller asks about."""

    ids: list[str] = Field(max_length=650)


class Presences(Model):
    """Their presences."""

    context: str = Field(default=CONTEXT, alias="@odata.context")
    value: list[Presence]


app = FastAPI()

people = {
    person: Presence.model_validate(presence)
    for person, presence in json.loads(Path(os.environ["PEOPLE"]).read_bytes()).items()
}


@app.post("/v1.0/communications/getPresencesByUserId", response_model=Presences)
async def get_presences(request: PresencesRequest) -> Presences:
    """The presences of the people asked about."""
    return Presences(value=[people[person] for person in request.ids])
