"""The build's hook: compiles native/entries.c into the package, where there is a C compiler.

Without one presenced is installed all the same, and reads the long way (src/presenced/entries.py).
"""

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

_SOURCE = "native/entries.c"
_PACKAGE = Path("src/presenced")
_HOW = (
    "Bulk reads will cost about twice as much. Install a C compiler and Python's headers (Debian: gcc, libc6-dev and "
    "python3-dev), then install presenced again."
)


class Compile(BuildHookInterface[Any]):
    """Makes the wheel this platform's if it compiles, and everybody's if it does not."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build, by its root folder. An editable one finds what is compiled beside its source."""
        if self.target_name != "wheel":
            return
        for old in _PACKAGE.glob("_entries.*.so"):
            old.unlink()
        try:
            compiled = _compile()
        except Exception as error:
            self.app.display_warning(f"{_SOURCE} was not compiled: {error}. {_HOW}")
            return
        build_data["artifacts"].append(str(compiled))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


def _compile() -> Path:
    extension = Extension("presenced._entries", [_SOURCE])
    command = build_ext(Distribution({"name": "presenced", "ext_modules": [extension]}))
    with tempfile.TemporaryDirectory() as scratch:
        command.build_lib = str(_PACKAGE.parent)
        command.build_temp = scratch
        command.force = True
        command.ensure_finalized()
        command.run()
    return Path(command.get_ext_fullpath(extension.name))
