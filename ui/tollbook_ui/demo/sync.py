"""The sync job, a process of its own: copies the sources to staging ahead of the intake, and some of them once more."""

import argparse
import shutil
from pathlib import Path

import tollbook
from tollbook.digest import digest
from tollbook_schema import attributes as A  # noqa: N812

from tollbook_ui.demo import plan as plans
from tollbook_ui.demo.plan import Document, Plan
from tollbook_ui.demo.processes import tell

WORKFLOW = "staging-sync"


def copy(name: str, source: Path, target: Path, asset_id: str) -> None:
    """Copy a file with its modification time, as a handoff of that name."""
    with tollbook.handoff(
        "copy",
        source=source.parent.name,
        destination=target.parent.name,
        network="local_disk",
        scaffolding="sync",
        name=name,
    ) as span:
        shutil.copy2(source, target)
        content = target.read_bytes()
        span.bytes(len(content)).asset(asset_id, event_time=target.stat().st_mtime_ns)
        span.set(A.TOLLBOOK_CONTENT_DIGEST, digest([content]))


def sync(plan: Plan, document: Document) -> None:
    """Copy one document to staging; a mirrored one from there to the mirror, which nobody reads. Planted."""
    source, staged = Path(document.source), Path(document.staged)
    with tollbook.request(WORKFLOW):
        copy("copy source", source, staged, source.as_uri())
        if document.mirrored:
            copy("copy staged", staged, plan.mirror / staged.name, source.as_uri())


def run(plan: Plan) -> None:
    """Copy all documents, telling the parent after each."""
    plan.staging.mkdir()
    plan.mirror.mkdir()
    for number, document in enumerate(plan.documents, start=1):
        sync(plan, document)
        tell(done=number)


def main() -> None:
    """Run as `python -m tollbook_ui.demo.sync PLAN`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    tollbook.configure(service_name="staging-sync")
    run(plans.load(parser.parse_args().plan))
    tollbook.shutdown()


if __name__ == "__main__":
    main()
