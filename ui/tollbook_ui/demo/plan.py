"""What one run of the demo does: its documents, who owns them, and which waste is planted. Pure, but for reading its own file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tollbook_ui.demo.corpus import Root

MIRRORED_EVERY = 4
"""Every fourth document is copied a second time by the sync job: a duplicate copy."""

REPEATED_EVERY = 5
"""Every fifth document is sent in twice: a repeated input. Odd, as documents of the two roots take turns."""

CHAT_EVERY = 20
"""One document in twenty is summarized by a chat."""

UNKNOWN_MODEL_EVERY = 4
"""Every fourth chat asks a model that no price list knows."""

KNOWN_MODEL = "gpt-4o"
UNKNOWN_MODEL = "acme-summary-2"

READABLE = frozenset({".txt", ".md", ".rst", ".py", ".html", ".json", ".xml", ".tmac", ".cmake", ".conf", ""})
"""Suffixes whose files a summary is asked for."""


@dataclass(frozen=True)
class Owner:
    """Who pays for a document: the values of tollbook.label()."""

    team: str
    project: str
    feature: str
    customer: str


OWNERS = {
    "python": (Owner("platform", "code-catalog", "code-search", "internal"),),
    "share": (
        Owner("knowledge", "help-desk", "document-search", "acme"),
        Owner("knowledge", "help-desk", "document-search", "globex"),
    ),
}
"""Owners by the root a document comes from, in turn."""

CHAT_OWNER = Owner("assistants", "help-desk", "summaries", "acme")


@dataclass(frozen=True)
class Document:
    """A file, where its staging copy lies, and what is planted with it. Paths as text, so that it is plain JSON."""

    source: str
    staged: str
    owner: Owner
    mirrored: bool
    repeated: bool


@dataclass(frozen=True)
class Chat:
    """A document to be summarized, and the model that is asked."""

    document: Document
    model: str


@dataclass(frozen=True)
class Plan:
    """All that the demo's processes have to agree on."""

    folder: str
    documents: tuple[Document, ...]
    chats: tuple[Chat, ...]

    @property
    def staging(self) -> Path:
        """Where the sync job copies to."""
        return Path(self.folder, "staging")

    @property
    def mirror(self) -> Path:
        """Where it copies some of them again."""
        return Path(self.folder, "mirror")

    @property
    def policies(self) -> Path:
        """SQLite database of retention policies, asked once for each document."""
        return Path(self.folder, "policies.sqlite")

    @property
    def index(self) -> Path:
        """SQLite full-text index that the intake writes to."""
        return Path(self.folder, "index.sqlite")

    @property
    def intakes(self) -> int:
        """Requests of each intake workflow: every document, and the repeated ones once more."""
        return len(self.documents) + sum(document.repeated for document in self.documents)

    @property
    def requests(self) -> int:
        """Requests of the whole run: one sync and two intakes for each document, and the chats."""
        return len(self.documents) + 2 * self.intakes + len(self.chats)


def make(folder: Path, files: Sequence[tuple[Root, Path]]) -> Plan:
    """A plan for these files. The same files give the same plan."""
    documents = tuple(_document(folder, number, root, path) for number, (root, path) in enumerate(files))
    readable = [document for document in documents if Path(document.source).suffix.lower() in READABLE]
    wanted = max(4, len(documents) // CHAT_EVERY)
    chats = tuple(Chat(document, _model(number)) for number, document in enumerate(readable[:wanted], start=1))
    return Plan(str(folder), documents, chats)


def _document(folder: Path, number: int, root: Root, path: Path) -> Document:
    owners = OWNERS[root.name]
    return Document(
        source=str(path),
        staged=str(folder / "staging" / f"{number:05d}-{path.name}"),
        owner=owners[number // 2 % len(owners)],
        mirrored=(number + 1) % MIRRORED_EVERY == 0,
        repeated=(number + 1) % REPEATED_EVERY == 0,
    )


def _model(number: int) -> str:
    return UNKNOWN_MODEL if number % UNKNOWN_MODEL_EVERY == 0 else KNOWN_MODEL


def save(plan: Plan) -> Path:
    """Write the plan into its folder, for the other processes."""
    path = Path(plan.folder, "plan.json")
    path.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    return path


def load(path: Path) -> Plan:
    """Read what save() wrote."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    documents = tuple(_read_document(item) for item in raw["documents"])
    chats = tuple(Chat(_read_document(item["document"]), item["model"]) for item in raw["chats"])
    return Plan(raw["folder"], documents, chats)


def _read_document(raw: dict[str, object]) -> Document:
    owner = raw["owner"]
    if not isinstance(owner, dict):
        raise TypeError(f"no owner in {raw}")
    return Document(
        source=str(raw["source"]),
        staged=str(raw["staged"]),
        owner=Owner(**owner),
        mirrored=bool(raw["mirrored"]),
        repeated=bool(raw["repeated"]),
    )
