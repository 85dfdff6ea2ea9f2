"""Fixtures of the price tests: those of the attribution tests."""

from tests.attribution.conftest import _price_list_is_worked_out_once, intake  # noqa: F401 - fixtures
