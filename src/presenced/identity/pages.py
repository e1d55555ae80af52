"""Pages: the HTML people see when they sign in. Plain, made here, with nothing from anywhere else.

Jinja escapes every value. The headers let no other page frame these, load nothing, and send forms only here and to the
app that is signed in to: browsers apply ``form-action`` to the redirection that follows a form, too.
"""

import secrets
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import jinja2
from starlette.responses import HTMLResponse, Response

from presenced.identity.redirect_uris import origin_of


class Line(NamedTuple):
    """A paragraph of a message."""

    text: str
    quiet: bool = False


def page(template: str, title: str, *, status: int = 200, redirect_uri: str | None = None, **values: Any) -> Response:
    """A page. ``redirect_uri`` is where the answer to its form may lead."""
    nonce = secrets.token_urlsafe(16)
    html = _templates().get_template(template).render(title=title, csp_nonce=nonce, css=_css(), **values)
    return HTMLResponse(html, status, page_headers(nonce, redirect_uri))


def message(title: str, *lines: Line | str, status: int = 200) -> Response:
    """A page that only says something."""
    texts = [line if isinstance(line, Line) else Line(line) for line in lines]
    return page("message.html", title, status=status, lines=texts)


def page_headers(nonce: str, redirect_uri: str | None) -> dict[str, str]:
    """The headers of a page."""
    forms = "'self'" if redirect_uri is None else f"'self' {_source(redirect_uri)}"
    return PRIVATE | {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        f"img-src data:; form-action {forms}; frame-ancestors 'none'; base-uri 'none'",
        "X-Frame-Options": "DENY",
    }


PRIVATE = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""For every answer that holds, or leads to one that holds, what is somebody's alone."""


def _source(redirect_uri: str) -> str:
    """What a redirect URI is called in a Content-Security-Policy."""
    scheme = redirect_uri.partition(":")[0]
    origin = origin_of(redirect_uri)
    # CSP has no way to write an IPv6 address, nor a private scheme's authority
    return f"{scheme}:" if origin is None or "[" in origin else origin


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("presenced.identity"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _css() -> str:
    return resources.files("presenced.identity").joinpath("templates/page.css").read_text("utf-8")
