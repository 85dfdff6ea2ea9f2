"""What the sidebar's periods mean. Pure."""

from datetime import UTC, datetime, timedelta

from tollbook_ui import figures as f
from tollbook_ui.dashboard import scope

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_all_data_has_the_hours_that_only_storage_and_bills_have() -> None:
    extent = f.Extent(1, NOW, NOW, 1, NOW, NOW, NOW, NOW - 3 * DAY, NOW)
    found = scope.of_range("All data", extent, NOW)
    assert (found.since, found.until) == (NOW - 3 * DAY, NOW + timedelta(hours=1))
    assert scope.of_range("All data", f.Extent(0, None, None, 0, None, None, None), NOW) == f.Scope()


def test_an_empty_page_names_the_server_that_it_came_from() -> None:
    assert scope.nothing("https://costs.example:8443/requests").commands[-1].split()[0] == (
        "OTEL_EXPORTER_OTLP_ENDPOINT=https://costs.example:8443"
    )
    assert "=http://localhost:4318 " in scope.nothing(None).commands[-1]
