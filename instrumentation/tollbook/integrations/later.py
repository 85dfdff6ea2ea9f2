"""What others' instrumentations wait for: the module whose import says that they are needed.

Most import what they instrument, which takes up to a second each; a program that does not use it need not pay for it.
"""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from types import ModuleType
from typing import TYPE_CHECKING, Final

import wrapt

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_INSTRUMENTS: Final = re.compile(r"^Requires-Dist: ([\w.-]+)[^;\n]*;[^\n]*extra == ['\"]instruments(-any)?['\"]", re.MULTILINE)
_OF_PYTHON: Final = {"asyncio": "asyncio", "sqlite3": "sqlite3", "threading": "threading", "urllib": "urllib.request"}
"""Those of Python's own modules, which no distribution names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an instrumentation needs to be of use."""

    modules: tuple[str, ...] = ()
    """It is loaded when one of these is; at once if there are none."""
    missing: str = ""
    """What it instruments and nobody has installed; then it is of no use."""


def wanted_by(point: "EntryPoint") -> Wanted:
    """What this instrumentation waits for, as far as its distribution says what it instruments."""
    text = (point.dist.read_text("METADATA") if point.dist is not None else None) or ""
    named = _INSTRUMENTS.findall(text)
    if not named:
        module = _OF_PYTHON.get(point.name)
        return Wanted((module,) if module else ())
    own = [name for name, _any in named if _plain(name) == _plain(point.name)]
    found = {name: modules for name, _any in named if (modules := _modules(name)) is not None}
    missing = [name for name, is_any in named if name not in found and (not is_any or name in own)]
    if missing or not found:
        return Wanted(missing=(missing or [named[0][0]])[0])
    if own:
        found = {name: found[name] for name in own}
    modules = tuple(dict.fromkeys(module for modules in found.values() for module in modules))
    return Wanted(modules if all(found.values()) else ())


def when_imported(wanted: Iterable[str], module: str, load: Callable[[], None]) -> None:
    """Call `load` once, when one of the modules has been imported, or the instrumentation's own: somebody else wants it then."""
    names = (*wanted, module)
    done: list[str] = []

    def imported(complete: ModuleType) -> None:
        if done or any(_is_being_imported(name) for name in names if name != complete.__name__):
            return  # another one is half done: this is called again when it is complete
        done.append(complete.__name__)
        load()

    for name in names:
        wrapt.register_post_import_hook(imported, name)


def _is_being_imported(name: str) -> bool:
    return bool(getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _modules(name: str) -> tuple[str, ...] | None:
    """The modules of a distribution, `None` if it is not installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    told = (found.read_text("top_level.txt") or "").split()
    return tuple(module for module in told if not module.startswith("_")) or _recorded(found)


def _recorded(found: Distribution) -> tuple[str, ...]:
    """Its outermost packages, as the list of its files has them."""
    files = (line.partition(",")[0] for line in (found.read_text("RECORD") or "").splitlines())
    packages = sorted((file.removesuffix("/__init__.py") for file in files if file.endswith("/__init__.py")), key=len)
    outermost: list[str] = []
    for package in packages:
        if "-" not in package and not any(package.startswith(f"{known}/") for known in outermost):
            outermost.append(package)
    return tuple(package.replace("/", ".") for package in outermost)
