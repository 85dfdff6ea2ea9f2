"""What both ways of the intake have in common: each stage is one measured handoff."""

from pathlib import Path

import tollbook
from tollbook.digest import digest
from tollbook_schema import attributes as A  # noqa: N812

from tollbook_ui.demo.databases import Index, Policies, Policy
from tollbook_ui.demo.plan import Document


def read_staged(document: Document) -> bytes:
    """Read the staging copy. It has the source's modification time, and was made when its inode last changed."""
    with tollbook.handoff("read", source="staging", destination="intake", network="local_disk") as span:
        content = Path(document.staged).read_bytes()
        status = Path(document.staged).stat()
        span.bytes(len(content)).asset(
            Path(document.source).as_uri(), event_time=status.st_mtime_ns, synced_at=status.st_ctime_ns
        )
    return content


def look_up(policies: Policies, customer: str) -> Policy:
    """Ask for the customer's policy: once for each document, where once for each customer would do. Planted."""
    with tollbook.handoff(
        "lookup", source="sqlite:retention_policies", destination="intake", network="local_disk", name="lookup retention policy"
    ) as span:
        policy = policies.of(customer)
        span.bytes(len(customer.encode()) + policy.size_bytes).records(1)
        span.set(A.TOLLBOOK_CONTENT_DIGEST, digest([customer]))  # of the question: the same one again is a repeated lookup
        span.set(A.DB_SYSTEM_NAME, "sqlite").set(A.DB_COLLECTION_NAME, "retention_policies")
    return policy


def put_into_index(index: Index, document: Document, label: str, policy: Policy, content: bytes) -> None:
    """Write the classified document into the full-text index: what the intake is for."""
    with tollbook.handoff(
        "write",
        source="intake",
        destination="sqlite:documents",
        network="local_disk",
        scaffolding="useful",
        name="write index",
    ) as span:
        span.bytes(index.add(Path(document.source).name, label, policy, content)).records(1)
        span.set(A.DB_SYSTEM_NAME, "sqlite").set(A.DB_COLLECTION_NAME, "documents")
