"""TokenRequest: one request to the token endpoint, read and bounded, before anyone looks at what it wants."""

from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from presenced.identity.base_urls import BaseUrls
from presenced.identity.entra_errors import malformed_request, parameter_duplicated, parameter_missing

MAX_BODY = 64 * 1024
MAX_FIELDS = 100
FORM = "application/x-www-form-urlencoded"


class TokenRequest(NamedTuple):
    """The form, and where it was sent.

    ``base_url`` is the address the client knows this server by; ``audiences`` are the texts that a client assertion may
    name as its audience; ``hosts`` are the host names that a scope may name this server by. ``origin`` is that of the
    page that asks, None if no page does.
    """

    tenant: str
    form: dict[str, str]
    authorization: str
    base_url: str
    audiences: frozenset[str]
    hosts: frozenset[str]
    origin: str | None = None

    @classmethod
    async def read(cls, request: Request, tenant: str, base_urls: BaseUrls) -> "TokenRequest":
        """Read a request for ``tenant``. Raises EntraError."""
        # MSAL asserts itself to the token endpoint, or to the issuer, as discovery names them (spec B.4); one that does
        # not ask discovery spells the tenant as it was configured.
        audiences = {
            f"{base}/{spelling}/{end}"
            for base in base_urls.own(request.scope)
            for spelling in (tenant, request.path_params["tenant"])
            for end in ("oauth2/v2.0/token", "v2.0")
        }
        return cls(
            tenant=tenant,
            form=await read_form(request),
            authorization=request.headers.get("authorization", ""),
            base_url=base_urls.of(request.scope),
            audiences=frozenset(audiences),
            hosts=frozenset(base_urls.hosts(request.scope)),
            origin=request.headers.get("origin"),
        )

    def required(self, name: str) -> str:
        """A field that must be there. Raises EntraError."""
        value = self.form.get(name, "")
        if not value:
            raise parameter_missing(name)
        return value


async def read_form(request: Request) -> dict[str, str]:
    """The form in a request's body. Raises EntraError."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # azure-identity for Java asks for a device code without saying what its body is
    if content_type not in (FORM, ""):
        raise parameter_missing("grant_type")  # as Entra: to it the body of a JSON request is empty
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise malformed_request(f"The request body is longer than {MAX_BODY} bytes.", status=413)
    try:
        # Tolerant of letters that should have been escaped: msal-node 2 sends spaces, commas and | as they are.
        return parse_fields(bytes(body))
    except ValueError as error:
        raise malformed_request("The request body is not a form in UTF-8.") from error


def parse_fields(encoded: bytes) -> dict[str, str]:
    """The fields of a form or a query. Raises ValueError, or EntraError for a field that is there twice."""
    fields = parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    form: dict[str, str] = {}
    for name, value in fields:
        if name in form:  # RFC 6749 section 3.2
            raise parameter_duplicated(name)
        form[name] = value
    return form
