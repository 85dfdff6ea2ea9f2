"""Is the installation well: versions, folder, spool, what is unsettled, unpriced, unrated, and what can be instrumented."""

import platform
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path

from tollbook_schema import retention

from tollbook_ui import __version__, locate, units
from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.budgets.figures import Status
from tollbook_ui.intake import Complaint, Intake, look
from tollbook_ui.settings import Settings

PACKAGES = ("chdb", "clickhouse-connect", "fastapi", "genai-prices", "grpcio", "opentelemetry-sdk", "streamlit", "onnxruntime")
NOTHING_SET = Settings()
EVER = f.Scope(since=datetime(1970, 1, 1), until=datetime(2106, 1, 1))  # noqa: DTZ001 - a scope's times are UTC


@dataclass(frozen=True)
class Package:
    """One installed package; an empty version is a package that is not there."""

    name: str
    version: str


@dataclass(frozen=True)
class Instrumentor:
    """One instrumentation that is installed, and the package it came with."""

    name: str
    package: str


@dataclass(frozen=True)
class Device:
    """An accelerator or processor that can be sampled here, or why a way of reading them does not work."""

    source: str
    """NVML, nvidia-smi, amdsmi, …"""
    says: str


@dataclass(frozen=True)
class Doctor:
    """What the examination found; `rows` is the list of things to see to, empty where all is well."""

    version: str
    python: str
    platform: str
    data: str
    store: str
    """Where the data is; empty where there is none yet."""
    embedded: bool
    server: str
    """Address of the server that has the folder; empty where none runs."""
    auth: str
    """required where everybody is asked for a key or a sign-in; none where nobody is."""
    tls: bool
    """Whether both doors speak TLS."""
    extent: f.Extent
    intake: Intake
    kept_days: int
    """Days that spans, metrics and logs are kept; 0 for ever."""
    content_kept_days: int
    """Days that prompts, completions and other content are kept; 0 for ever."""
    unsettled_hours: int
    outdated_hours: int
    """Hours whose usage was read with another table of dialects than this release's."""
    settlement_trouble: str
    coverage: f.Coverage
    unpriced: tuple[f.UnpricedCalls, ...]
    unrated: tuple[f.Host, ...]
    budgets: tuple[Status, ...]
    """Those that are overspent, will be, or are spent much too fast."""
    instrumentors: tuple[Instrumentor, ...]
    instrumented: tuple[f.Instrumented, ...]
    """What services have said in the last week that they see, and why not the rest."""
    devices: tuple[Device, ...]
    packages: tuple[Package, ...]
    rows: tuple[Complaint, ...]

    @property
    def well(self) -> bool:
        """Whether nothing needs a person."""
        return not any(row.urgent for row in self.rows)


def examine(
    answers: Answers | None,
    data: Path,
    settlement_trouble: str = "",
    settings: Settings = NOTHING_SET,
    intake: Intake | None = None,
) -> Doctor:
    """Examines the store, if there is one, the data folder and this Python. Looks at all that is stored, whatever its age."""
    running = locate.server(data)
    kept_days = retention.in_force(answers.store) if answers else {}
    found = Doctor(
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        data=str(data),
        store=answers.store.place if answers else "",
        embedded=answers.store.embedded if answers else True,
        server=running.url if running else "",
        auth=settings.auth,
        tls=bool(settings.tls_cert),
        extent=answers.extent() if answers else f.Extent(0, None, None, 0, None, None, None),
        intake=intake or look(data / "spool"),
        kept_days=kept_days.get("spans", 0),
        content_kept_days=kept_days.get(retention.CONTENT, 0),
        unsettled_hours=answers.unsettled_hours() if answers else 0,
        outdated_hours=answers.dialects.outdated_hours() if answers else 0,
        settlement_trouble=settlement_trouble,
        coverage=answers.coverage(EVER) if answers else f.NOTHING_COVERED,
        unpriced=answers.unpriced(EVER) if answers else (),
        unrated=tuple(host for host in answers.hosts(EVER) if not host.rated) if answers else (),
        budgets=answers.budgets.status().broken if answers else (),
        instrumentors=instrumentors(),
        instrumented=answers.instrumented() if answers else (),
        devices=_devices(),
        packages=tuple(Package(name, _version(name)) for name in PACKAGES),
        rows=(),
    )
    return replace(found, rows=_complaints(found))


def _devices() -> tuple[Device, ...]:
    from tollbook.accelerators import sampler  # noqa: PLC0415 - the SDK is of no use to a server that starts

    return tuple(Device(source, says) for source, says in sampler.report())


def instrumentors() -> tuple[Instrumentor, ...]:
    """Libraries that `opentelemetry-instrument` would instrument in this Python, Tollbook's own and others'."""
    found = metadata.entry_points(group="opentelemetry_instrumentor")
    return tuple(
        sorted((Instrumentor(point.name, point.dist.name if point.dist else "") for point in found), key=lambda i: i.name)
    )


def _complaints(found: Doctor) -> tuple[Complaint, ...]:
    trouble, calls = found.settlement_trouble, sum(row.calls for row in found.unpriced)
    said = (
        (trouble, Complaint(f"the last settlement failed: {trouble}", "see the server's log", urgent=True)),
        (
            found.unsettled_hours,
            Complaint(f"{found.unsettled_hours} hours hold facts that are not settled", "run: tollbook settle"),
        ),
        (
            found.outdated_hours,
            Complaint(f"{found.outdated_hours} hours were read with another table of dialects", "run: tollbook renormalize"),
        ),
        (
            calls,
            Complaint(
                f"{units.counted(calls, 'model call')} without a price", "see the models below; what they cost is unknown, not 0"
            ),
        ),
        (
            found.unrated,
            Complaint(f"{len(found.unrated)} machines have no hourly rate", "run: tollbook rates set TYPE USD_PER_HOUR VCPUS"),
        ),
    )
    broken = (
        Complaint(f"budget {row.budget}: {row.reason}", f"see: tollbook budget list; ask {row.owner or 'its owner'}", urgent=True)
        for row in found.budgets
    )
    rows = [*found.intake.rows, *broken, *(complaint for wrong, complaint in said if wrong)]
    return tuple(sorted(rows, key=lambda row: not row.urgent))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
