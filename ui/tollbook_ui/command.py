"""Where the `tollbook` command begins: the command line, or what to install where the SDK stands alone."""

import sys


def main() -> None:
    """Runs the command line; exits with 1 and one line where what it needs is not installed."""
    try:
        from tollbook_ui.cli import main as run  # noqa: PLC0415 - it may not be there
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("tollbook"):
            raise
        sys.exit(f"Only Tollbook's SDK is installed ({error.name} is missing). For its commands: pip install 'tollbook[all]'")
    run()
