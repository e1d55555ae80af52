"""The build's hook: compiles native/entries.c into the package, where there is a C compiler.

Without one presenced is installed all the same, and reads the long way (src/presenced/entries.py).
"""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

_NAME = "presenced._entries"
_SOURCE = "native/entries.c"
_TREE = Path("src")
_HOW = (
    "Bulk reads will cost about twice as much. Install a C compiler and Python's headers (Debian: gcc, libc6-dev and "
    "python3-dev), then install presenced again."
)


class Compile(BuildHookInterface[Any]):
    """Makes the wheel this platform's if it compiles, and everybody's if it does not.

    An editable installation finds what is compiled beside its source; any other leaves the source as it is.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build, in the project's folder."""
        self._scratch = TemporaryDirectory()
        if self.target_name != "wheel":
            return
        editable = version == "editable"
        try:
            if editable:
                for suffix in EXTENSION_SUFFIXES:  # of an older source
                    _TREE.joinpath(*_NAME.split(".")).with_suffix(suffix).unlink(missing_ok=True)
            compiled = _compile(_TREE if editable else Path(self._scratch.name, "lib"), self._scratch.name)
        except Exception as error:
            self.app.display_warning(f"{_SOURCE} was not compiled ({error}). {_HOW}")
            return
        if not editable:
            build_data["force_include"][str(compiled)] = f"presenced/{compiled.name}"
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after a build."""
        self._scratch.cleanup()


def _compile(into: Path, scratch: str) -> Path:
    command = build_ext(Distribution({"name": "presenced", "ext_modules": [Extension(_NAME, [_SOURCE])]}))
    command.build_lib = str(into)
    command.build_temp = scratch
    command.force = True
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(_NAME))
