"""Fixtures of the tests of calls and their money: the intake of the attribution tests, and a collector that listens."""

from tests.attribution.conftest import intake  # noqa: F401 - fixtures
from tests.collector.conftest import running  # noqa: F401 - a fixture
