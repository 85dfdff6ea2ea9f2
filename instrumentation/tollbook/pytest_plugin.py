"""pytest's fixtures for those who test code that uses Tollbook. pytest loads this everywhere: no more than `tollbook`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tollbook.testing import Captured


@pytest.fixture
def tollbook_spans() -> "Iterator[Captured]":
    """The spans and scores that Tollbook makes during the test, and what they would cost: `tollbook_spans.receipt()`."""
    from tollbook.testing import capture  # noqa: PLC0415

    with capture() as captured:
        yield captured
