"""Fixtures of the price tests: those of the attribution tests."""

from tests.attribution.conftest import intake  # noqa: F401 - fixtures
