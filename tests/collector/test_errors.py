"""Whose fault a refusal is, and whether trying again helps: said alike by status, header and detail, on both transports."""

import pytest
from google.rpc import error_details_pb2
from tollbook_collector import errors, otlp_grpc
from tollbook_collector.collector import Collector
from tollbook_collector.errors import RefusedError, UnavailableError
from tollbook_schema.store import Store

REFUSALS = [UnavailableError("why"), *(kind("why") for kind in RefusedError.__subclasses__() if kind is not UnavailableError)]
RETRIED = {429, 502, 503, 504}
"""What senders try again. Anything else they drop."""


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_only_what_passes_is_answered_as_what_passes(refusal: RefusedError) -> None:
    passes = isinstance(refusal, UnavailableError)
    assert (refusal.http_status in RETRIED) == passes
    assert ("retry-after" in refusal.headers()) == passes
    details = [detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in refusal.status().details]
    assert details == ([True] if passes else [])
    assert refusal.http_status != 500


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_has_a_code_in_grpc(refusal: RefusedError) -> None:
    if not isinstance(refusal, errors.MethodNotAllowedError):  # which HTTP alone has
        assert otlp_grpc.CODES[refusal.code].value[0] == refusal.code


@pytest.mark.parametrize("shortage", [MemoryError(), OSError(24, "Too many open files"), TimeoutError()], ids=repr)
def test_what_runs_out_is_asked_to_come_back(store: Store, shortage: Exception) -> None:
    intake = Collector(store, None).intake  # type: ignore[arg-type]  # it is never started
    with pytest.raises(UnavailableError, match="short of"), intake.request() as held:  # noqa: PT012 - it is about the block
        held.add(100)
        raise shortage
    assert intake.bytes_held == 0
