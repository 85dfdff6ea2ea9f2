"""Python runs this before a program that `tollbook-instrument` starts, and before each Python program that it starts."""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def _the_next() -> None:
    """Run the `sitecustomize` that this one stands before, if there is any, as Python would have."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - before every program: as little as possible
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if os.path.abspath(path) != here])  # noqa: PTH100
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


def _ours() -> None:
    try:
        from tollbook import program  # noqa: PLC0415
    except ImportError:  # a program of another Python, in which Tollbook is not installed
        return
    program.begin()


try:
    _the_next()
finally:
    _ours()
