"""Pages: ``/openapi.json``, and ``/docs``, where a person tries the API without a network.

Swagger UI comes from the installed package flask-swagger-ui, of which only the files are used. The page may load and
call nothing but this server (Content-Security-Policy), so what is typed into it goes nowhere else.
"""

from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from presenced.identity.base_urls import BaseUrls
from presenced.openapi.document import document_json

_PAGE = Path(__file__).with_name("page")

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def swagger_ui() -> Path:
    """The folder of Swagger UI's files."""
    found = find_spec("flask_swagger_ui")  # found, not imported: it is for Flask
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("dist")


def openapi_routes(base_urls: BaseUrls) -> list[BaseRoute]:
    """The routes. The document says the address that the client asked at."""

    async def openapi(request: Request) -> Response:
        content = document_json(base_urls.of(request.scope))
        return Response(content, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    async def page(request: Request) -> Response:
        return FileResponse(_PAGE / "index.html", headers=_HEADERS)

    async def start(request: Request) -> Response:
        return FileResponse(_PAGE / "start.js", headers=_HEADERS)

    return [
        Route("/openapi.json", openapi),
        Route("/docs", page),
        Route("/docs/", page),
        Route("/docs/start.js", start),
        Mount("/docs/assets", StaticFiles(directory=swagger_ui())),
    ]
