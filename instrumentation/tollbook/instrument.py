"""`tollbook-instrument PROGRAM ARGUMENTS…`: an unmodified Python program, seen from its first line to its last.

The command becomes the program (exec), so signals and the exit status are the program's own. Before it does, it puts a folder
with a `sitecustomize` in front of PYTHONPATH: whatever Python starts from here on runs `tollbook.program` first.
"""

import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from tollbook.program import VARIABLE, Wish

STARTUP: Final = str(Path(__file__).parent / "startup")
NOT_FOUND, NOT_EXECUTABLE, WRONG = 127, 126, 2
"""Exit status, as shells have them; a program's own are passed through."""

_PYTHON: Final = re.compile(r"(python|pypy)(\d+(\.\d+)*)?t?(\.exe)?$")
_LONG_SHEBANG: Final = re.compile(r"""'''exec' "?([^"\s]+)""")
"""How pip writes a script's first lines where the interpreter's path is long or has spaces."""
_ISOLATING: Final = re.compile(r"-(?![WX])[A-Za-z]*[EIS]")
"""Options under which Python looks neither at PYTHONPATH nor for `sitecustomize`."""

_GIVEN: Final = {
    "service-name": ("NAME", "by default OTEL_SERVICE_NAME, then the program's name"),
    "service-version": ("VERSION", "version of the service"),
    "endpoint": ("URL", "collector, by default OTEL_EXPORTER_OTLP_ENDPOINT, then http://127.0.0.1:4318"),
    "environment": ("NAME", "such as production"),
    "team": ("NAME", "team that owns what the program does"),
    "project": ("NAME", "project or budget line"),
    "feature": ("NAME", "product feature"),
    "customer": ("NAME", "on whose behalf it runs"),
    "site": ("NAME", "place it runs at"),
    "tier": ("NAME", "hyperscale, regional or edge"),
    "host-type": ("NAME", "type of the machine, which its rate is listed under"),
    "buffer": ("FOLDER", "where spans wait that cannot be delivered"),
}
"""Options that are arguments of `tollbook.configure`."""

_EPILOG: Final = """
examples:
  tollbook-instrument gunicorn app:application
  tollbook-instrument --team search --request nightly python score.py --date 2026-11-22
  tollbook-instrument -m uvicorn app:app
  tollbook-instrument --list

The program's child processes are seen too, if they are Python with Tollbook installed. Beside opentelemetry-instrument nothing is
seen twice. OTEL_* variables hold as everywhere; OTEL_PYTHON_DISABLED_INSTRUMENTATIONS names libraries to leave alone.
"""


class InstrumentError(Exception):
    """What was asked for cannot be done: nothing has been started.

    Args:
        status: what the command exits with.
        message: says what to do about it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def main() -> NoReturn:
    """The command."""
    try:
        sys.exit(_run(sys.argv[1:]))
    except InstrumentError as error:
        sys.stderr.write(f"tollbook-instrument: {error}\n")
        sys.exit(error.status)


def _run(arguments: Sequence[str]) -> int:
    parser = _parser()
    options, program = parsed(parser, arguments)
    if options.list:
        from tollbook.integrations import auto, listing, status  # noqa: PLC0415

        auto(only=_names(options.only), without=_names(options.without) or [], at_once=True)
        sys.stdout.write(listing(status()))
        return 0
    if not program:
        parser.print_usage(sys.stderr)
        raise InstrumentError(WRONG, "name a program to run, or --list, or --help")
    command = resolved(program)
    _check(command)
    return _become(command, environment(options, program))


def parsed(parser: ArgumentParser, arguments: Sequence[str]) -> tuple[Namespace, list[str]]:
    """Our options, and the program with its arguments: all that follows the first word that is no option of ours."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] not in {"-m", "-c", "--"}:
        at += 2 if _takes_value(arguments[at]) else 1
    options = parser.parse_args(arguments[:at])
    program = list(arguments[at:])
    return options, program[1:] if program[:1] == ["--"] else program


def resolved(program: Sequence[str]) -> list[str]:
    """The file to execute and its arguments, its own name first.

    Raises:
        InstrumentError: if there is no such program.
    """
    name = program[0]
    if name in {"-m", "-c"}:
        if len(program) < 2:
            raise InstrumentError(WRONG, f"{name} wants a {'module' if name == '-m' else 'line of Python'}")
        return [sys.executable, *program]
    path = _found(name)
    if path.endswith((".py", ".pyz")) and not os.access(path, os.X_OK):
        return [sys.executable, path, *program[1:]]
    if not os.access(path, os.X_OK):
        raise InstrumentError(NOT_EXECUTABLE, f"{name} is not executable; if it is Python: tollbook-instrument python {name}")
    return [path, *program[1:]]


def interpreter(path: str) -> tuple[str, list[str]] | None:
    """The Python that runs the file, and the options that the file gives it; None where it is no Python program."""
    if _PYTHON.match(Path(path).name.lower()):
        return path, []
    with Path(path).open("rb") as file:
        first, second = (line.decode("utf-8", "replace").strip() for line in (file.readline(512), file.readline(512)))
    if not first.startswith("#!"):
        return None
    words = first[2:].split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word] + [""]
        words[0] = shutil.which(words[0]) or words[0]
    elif (long := _LONG_SHEBANG.match(second)) is not None:
        words = [long[1]]
    if not words or not _PYTHON.match(Path(words[0]).name.lower()):
        return None
    return words[0], words[1:]


def environment(options: Namespace, program: Sequence[str]) -> dict[str, str]:
    """The program's environment: this one, with our folder first on PYTHONPATH and what was asked for."""
    given = {name.replace("-", "_"): getattr(options, name.replace("-", "_")) for name in _GIVEN}
    configure = {name: value for name, value in given.items() if value is not None}
    if "service_name" not in configure and not _is_named():
        configure["service_name"] = _program_name(program)
    if options.no_metrics:
        configure["metrics"] = False
    wish = Wish(configure, options.request, _names(options.only), _names(options.without) or [])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in {"", STARTUP}]
    return {**os.environ, VARIABLE: wish.written(), "PYTHONPATH": os.pathsep.join([STARTUP, *paths])}


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        "tollbook-instrument",
        usage="%(prog)s [OPTIONS] PROGRAM|FILE.py|-m MODULE [ARGUMENTS]",
        description="Run a Python program, unmodified, and see its requests, model calls and data handoffs.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, (value, help_) in _GIVEN.items():
        parser.add_argument(f"--{name}", metavar=value, help=help_)
    parser.add_argument("--request", metavar="NAME", help="the whole program is one request of this name")
    parser.add_argument("--only", metavar="LIBRARY", action="append", help="instrument these alone; commas separate")
    parser.add_argument("--without", metavar="LIBRARY", action="append", help="leave these alone; commas separate")
    parser.add_argument("--no-metrics", action="store_true", help="send no CPU time and memory of the process")
    parser.add_argument("--list", action="store_true", help="list what would be seen here and what not, and why")
    return parser


def _takes_value(option: str) -> bool:
    return option.removeprefix("--") in {*_GIVEN, "request", "only", "without"}


def _names(given: Iterable[str] | None) -> list[str] | None:
    """Names of libraries, given several times or with commas."""
    return None if given is None else [name.strip() for names in given for name in names.split(",") if name.strip()]


def _found(name: str) -> str:
    """Beside this command's Python first: what is there is what Tollbook is installed for."""
    if os.sep in name or (name.endswith(".py") and Path(name).is_file()):
        if not Path(name).is_file():
            raise InstrumentError(NOT_FOUND, f"there is no file {name}")
        return name
    beside = Path(sys.executable).parent
    path = shutil.which(name, path=str(beside)) or shutil.which(name)
    if path is None:
        raise InstrumentError(NOT_FOUND, f"there is no program {name}, neither in {beside} nor on PATH")
    return path


def _check(command: Sequence[str]) -> None:
    """Whether the program is a Python one that Tollbook is installed for.

    Raises:
        InstrumentError: if its Python has no Tollbook, or would not look for it.
    """
    python = interpreter(command[0])
    if python is None:
        sys.stderr.write(f"tollbook-instrument: {command[0]} is no Python program; only Python that it starts is seen\n")
        return
    path, options = python
    if _PYTHON.match(Path(command[0]).name.lower()):
        options = _own_options(command[1:])
    if any(_ISOLATING.match(option) for option in options):
        raise InstrumentError(
            WRONG, f"{command[0]} runs isolated ({' '.join(options)}) and cannot be seen: call tollbook.auto() in it"
        )
    if Path(path).parent != Path(sys.executable).parent and _lacks_tollbook(path):
        raise InstrumentError(
            WRONG, f"{command[0]} runs under {path}, which has no tollbook: install it there and use its tollbook-instrument"
        )


def _own_options(arguments: Sequence[str]) -> list[str]:
    """Python's own options, before the file, module or command that it runs."""
    options: list[str] = []
    for argument in arguments:
        if options[-1:] not in (["-W"], ["-X"]) and (not argument.startswith("-") or argument[1:2] in {"", "m", "c", "-"}):
            break
        options.append(argument)
    return options


def _lacks_tollbook(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "import tollbook.program"], capture_output=True, check=False).returncode != 0
    except OSError as error:
        raise InstrumentError(NOT_FOUND, f"{python}, which shall run the program, cannot be started: {error.strerror}") from error


def _is_named() -> bool:
    """Whether the environment names the service."""
    resource = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return bool(os.environ.get("OTEL_SERVICE_NAME")) or any(
        pair.strip().startswith("service.name=") for pair in resource.split(",")
    )


def _program_name(program: Sequence[str]) -> str:
    """What the service is called that nobody has named: the script, module or command."""
    words = list(program)
    if _PYTHON.match(Path(words[0]).name.lower()):
        words = words[1 + len(_own_options(words[1:])) :] or words
    if words[0] == "-m" and len(words) > 1:
        return words[1].removesuffix(".__main__")
    if words[0] == "-c":
        return "python"
    path = Path(words[0])
    return path.stem if path.suffix in {".py", ".pyz"} else path.name


def _become(command: list[str], environment: dict[str, str]) -> int:
    if os.name == "nt":  # Windows' exec returns to the shell before the program ends
        return subprocess.run(command, env=environment, check=False).returncode
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(command[0], command, environment)  # noqa: S606
    except OSError as error:
        raise InstrumentError(NOT_EXECUTABLE, f"{command[0]} cannot be started: {error.strerror}") from error


if __name__ == "__main__":
    main()
