"""presenced: a presence server that speaks Microsoft Graph's presence API."""

from importlib.metadata import version

__version__ = version("presenced")
