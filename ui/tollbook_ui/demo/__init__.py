"""The main job: files of this machine go through a real document intake, measured, and the bill is itemized."""

from pathlib import Path

DOCUMENTS = 300
"""The intake stops after 20 s, however many of these it has taken in by then."""


def run(data: Path | None = None, documents: int = DOCUMENTS, stay: bool = True) -> int:
    """Run the demo and print the bill; gives the exit status.

    Args:
        data: folder to keep everything in, emptied first; by default the demo's own, beside the real data.
        documents: files taken in; each once more by the second way, some twice.
        stay: keep the server and its dashboard up until Ctrl-C.
    """
    from rich.console import Console  # noqa: PLC0415 - the demo's other processes start faster without what is only needed here

    console = Console()
    with console.status("Starting the server"):
        from tollbook_ui.demo import folder, job  # noqa: PLC0415

    return job.run(console, data or folder.default(), documents, stay)
