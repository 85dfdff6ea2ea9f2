"""`tollbook bill import`: files are taken as one import, with a bar where somebody watches."""

from collections.abc import Sequence
from pathlib import Path

from tollbook_attribution.bills import Options

from tollbook_ui import access, progress
from tollbook_ui.bills.figures import Taken
from tollbook_ui.place import Place
from tollbook_ui.remote import RemoteAnswers


def take(where: Place, files: Sequence[Path], options: Options) -> Taken:
    """Takes files of bills in, by the server if one runs. Raises as `Bills.take`."""
    what = f"Reading {files[0].name if len(files) == 1 else f'{len(files)} files'}"
    with access.opened(where, create=True) as answers:
        if isinstance(answers, RemoteAnswers):
            with progress.share(what.replace("Reading", "Sending")) as sent:
                return answers.bills.take(files, options, sent=sent)
        with progress.counted(what, answers.bills.lines_read, None):
            return answers.bills.take(files, options)
