"""onnxruntime, real: each run of a session is an inference, in programs that know nothing of Tollbook."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tollbook
from opentelemetry.trace import StatusCode
from tollbook.accelerators import visible
from tollbook.accelerators.readings import Device
from tollbook.integrations import local_models, onnxruntime
from tollbook.integrations.onnxruntime import OnnxRuntimeInstrumentor
from tollbook.resource import host_id
from tollbook.testing import Captured, capture

from tests.sdk import onnx

np = pytest.importorskip("numpy")
ort = pytest.importorskip("onnxruntime")

IDENTITY = onnx.model("Identity")
X = np.arange(8, dtype=np.float32).reshape(2, 4)


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    OnnxRuntimeInstrumentor().instrument()
    yield
    OnnxRuntimeInstrumentor().uninstrument()


def session(model: bytes | Path = IDENTITY, threads: int = 1) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def runs(captured: Captured) -> list[Any]:
    """Spans of runs, without those of loading and dropping models."""
    return [span for span in captured.spans if (span.attributes or {})["tollbook.kind"] == "inference"]


def test_a_run_is_an_inference_with_sizes_and_digests(captured: Captured, tmp_path: Path) -> None:
    path = tmp_path / "doubler.onnx"
    path.write_bytes(IDENTITY)
    with tollbook.request("r", team="vision"):
        (y,) = session(path).run(None, {"x": X})
    assert y.tolist() == X.tolist()
    attributes = dict(captured.attributes("inference doubler"))
    assert len(attributes.pop("tollbook.inference.input.digest")) == 32
    assert attributes.pop("tollbook.cpu.time") > 0
    assert attributes == {
        "tollbook.kind": "inference",
        "gen_ai.operation.name": "inference",
        "gen_ai.provider.name": "onnxruntime",
        "gen_ai.request.model": "doubler",
        "tollbook.model.version": "7",
        "tollbook.model.digest": hashlib.sha256(IDENTITY).hexdigest()[:16],
        "tollbook.inference.location": "in_process",
        "tollbook.inference.batch_size": 2,
        "tollbook.inference.input.size": 32,
        "tollbook.inference.output.size": 32,
        "hw.type": "cpu",
        "hw.id": f"{host_id()}/cpu",
        "tollbook.accelerator.state": "warming",
        "tollbook.team": "vision",
        "gen_ai.workflow.name": "r",
    }


def test_the_same_input_has_the_same_digest_and_no_other(captured: Captured) -> None:
    model = session()
    for feed in (X, X.copy(), X + 1, X.reshape(4, 2), np.asfortranarray(X)):
        model.run(None, {"x": feed})
    first, again, other, reshaped, transposed = [span.attributes["tollbook.inference.input.digest"] for span in runs(captured)]
    assert first == again == transposed
    assert len({first, other, reshaped}) == 3


def test_input_given_as_lists_is_measured_too(captured: Captured) -> None:
    model = session()
    model.run(None, {"x": X.tolist()})
    model.run(None, {"x": X.tolist()})
    first, second = [span.attributes for span in runs(captured)]
    assert first["tollbook.inference.batch_size"] == 2
    assert first["tollbook.inference.input.size"] == 32
    assert first["tollbook.inference.input.digest"] == second["tollbook.inference.input.digest"]


def test_text_is_sized_in_bytes_of_utf8(captured: Captured) -> None:
    model = session(onnx.model("Identity", element=onnx.STRING))
    model.run(None, {"x": np.array([["grüße", "a"]], dtype=object)})
    assert captured.attributes("inference tiny")["tollbook.inference.input.size"] == 8
    assert captured.attributes("inference tiny")["tollbook.inference.output.size"] == 8


def test_a_model_given_as_bytes_is_named_by_its_graph(captured: Captured) -> None:
    session(onnx.model("Identity", graph="reranker")).run(None, {"x": X})
    assert captured.names == ["load_model reranker", "inference reranker", "evict_model reranker"]


def test_a_file_called_model_is_named_by_its_folder(captured: Captured, tmp_path: Path) -> None:
    path = tmp_path / "bert" / "onnx" / "model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(IDENTITY)
    session(path).run(None, {"x": X})
    assert captured.named("inference bert")


def test_ages_of_inputs_reach_the_run(captured: Captured) -> None:
    model = session()
    with tollbook.request("r"):
        with tollbook.handoff("read") as span:
            span.asset("s3://a", event_time=1_700_000_000.0)
        model.run(None, {"x": X})
    assert captured.attributes("inference tiny")["tollbook.input.event_time.oldest"] == 1_700_000_000_000_000_000


def test_io_binding_and_ort_values_are_inferences(captured: Captured) -> None:
    model = session()
    binding = model.io_binding()
    binding.bind_cpu_input("x", X)
    binding.bind_output("y")
    model.run_with_iobinding(binding)
    assert binding.copy_outputs_to_cpu()[0].tolist() == X.tolist()
    model.run_with_ort_values(None, {"x": ort.OrtValue.ortvalue_from_numpy(X)})
    bound, values = runs(captured)
    assert bound.attributes["tollbook.inference.output.size"] == bound.attributes["tollbook.inference.input.size"] == 32
    assert bound.attributes["tollbook.inference.batch_size"] == 2
    assert values.attributes["tollbook.inference.input.size"] == 32
    assert values.attributes["tollbook.inference.batch_size"] == 2


def test_memory_that_is_bound_by_its_type_and_shape_is_sized(captured: Captured) -> None:
    model = session()
    value = ort.OrtValue.ortvalue_from_numpy(X)
    binding = model.io_binding()
    binding.bind_input("x", "cpu", 0, np.float32, value.shape(), value.data_ptr())
    binding.bind_output("y")
    model.run_with_iobinding(binding)
    (span,) = runs(captured)
    assert span.attributes["tollbook.inference.input.size"] == 32
    binding.clear_binding_inputs()
    binding.bind_ortvalue_input("x", value)
    model.run_with_iobinding(binding)
    assert runs(captured)[1].attributes["tollbook.inference.input.size"] == 32


def test_loading_warming_up_and_the_end_of_a_model_are_told_apart(captured: Captured, tmp_path: Path) -> None:
    path = tmp_path / "doubler.onnx"
    path.write_bytes(IDENTITY)
    model = session(str(path))
    model.run(None, {"x": X})
    model.run(None, {"x": X})
    del model
    assert captured.names == ["load_model doubler", "inference doubler", "inference doubler", "evict_model doubler"]
    load = dict(captured.attributes("load_model doubler"))
    assert load.pop("tollbook.cpu.time") > 0
    told = {
        "tollbook.kind": "handoff",
        "gen_ai.request.model": "doubler",
        "tollbook.model.version": "7",
        "tollbook.model.digest": hashlib.sha256(IDENTITY).hexdigest()[:16],
        "hw.type": "cpu",
        "hw.id": f"{host_id()}/cpu",
    }
    assert load == told | {
        "gen_ai.operation.name": "load_model",
        "gen_ai.provider.name": "onnxruntime",
        "tollbook.accelerator.state": "loading",
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "file",
        "tollbook.handoff.network": "local_disk",
        "tollbook.handoff.size": len(IDENTITY),
        "tollbook.model.size": len(IDENTITY),
        "tollbook.inference.execution_providers": ("CPUExecutionProvider",),
        "tollbook.inference.threads": 1,
    }
    assert captured.attributes("evict_model doubler") == told | {
        "gen_ai.operation.name": "evict_model",
        "tollbook.accelerator.state": "evicting",
        "tollbook.handoff.operation": "delete",
    }
    assert [span.attributes.get("tollbook.accelerator.state") for span in runs(captured)] == ["warming", None]


def test_a_model_that_cannot_be_loaded_says_so(captured: Captured) -> None:
    with pytest.raises(Exception, match="protobuf"):
        session(b"no model")
    load = captured.named("load_model")
    assert load.status.status_code is StatusCode.ERROR
    assert (load.attributes or {})["tollbook.handoff.size"] == 8


def test_the_device_of_a_session_is_the_one_of_its_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """What onnxruntime with CUDA says, without CUDA: its options name the device by CUDA's number."""
    gpu = Device("GPU-0ae1", model="NVIDIA H100", profile="1g.10gb", parent="GPU-1")
    asked: list[int] = []
    monkeypatch.setattr(visible, "cuda_device", lambda index: asked.append(index) or gpu)
    local_models.on_device.cache_clear()

    class Session:
        def get_provider_options(self) -> dict[str, dict[str, str]]:
            return {"CUDAExecutionProvider": {"device_id": "3"}, "CPUExecutionProvider": {}}

    assert onnxruntime._hardware(("CUDAExecutionProvider", "CPUExecutionProvider"), Session()) == {
        "hw.id": "GPU-0ae1",
        "hw.type": "gpu",
        "hw.model": "NVIDIA H100",
        "hw.parent": "GPU-1",
        "tollbook.accelerator.profile": "1g.10gb",
    }
    assert asked == [3]
    assert onnxruntime._hardware(("DmlExecutionProvider",), Session()) == {"hw.type": "gpu"}
    assert onnxruntime._hardware(("CoreMLExecutionProvider",), Session()) == {}
    local_models.on_device.cache_clear()


def test_an_asynchronous_run_ends_when_it_is_called_back(captured: Captured) -> None:
    done = threading.Event()
    seen: list[Any] = []

    def callback(results: list[Any], user_data: str, error: str) -> None:
        seen.append((results[0].tolist(), user_data, error))
        done.set()

    model = session(threads=2)  # held: a session that dies while it runs can wait for itself
    with tollbook.request("r"):
        model.run_async(["y"], {"x": X}, callback, "mine")
        assert done.wait(10)
    assert seen == [(X.tolist(), "mine", "")]
    for _try in range(100):
        if "inference tiny" in captured.names:
            break
        threading.Event().wait(0.01)
    span = captured.named("inference tiny")
    assert span.parent.span_id == captured.named("r").context.span_id
    assert span.attributes["tollbook.inference.output.size"] == 32
    assert "tollbook.cpu.time" not in span.attributes


def test_a_failed_run_raises_what_onnxruntime_raises(captured: Captured) -> None:
    with pytest.raises(ValueError, match="Required inputs"):
        session().run(None, {})
    assert captured.named("inference tiny").status.status_code is StatusCode.ERROR
    assert captured.attributes("inference tiny")["error.type"] == "ValueError"


def test_the_models_own_threads_count_as_its_cpu_time() -> None:
    """A matrix product on two threads uses more CPU than the calling thread alone, unless all cores are busy otherwise."""
    model = session(onnx.model("MatMul", ("a", "b")), threads=2)
    matrix = np.ones((1200, 1200), dtype=np.float32)
    for _try in range(20):
        with capture() as captured, tollbook.request("r"), tollbook.handoff("call", name="alone"):
            before_ns = threading_cpu_ns()
            model.run(None, {"a": matrix, "b": matrix})
            own_ns = threading_cpu_ns() - before_ns
        cpu_ns = captured.attributes("inference tiny")["tollbook.cpu.time"]
        assert captured.attributes("alone")["tollbook.cpu.time"] >= cpu_ns
        assert captured.attributes("r")["tollbook.cpu.time"] >= cpu_ns
        if cpu_ns > 1.2 * own_ns:
            return
    pytest.fail(f"the threads of the model count for nothing: {cpu_ns} ns, {own_ns} of them the caller's")


def test_a_session_shared_by_threads_keeps_every_result(captured: Captured) -> None:
    model = session(threads=2)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda number: model.run(None, {"x": X + number})[0].tolist(), range(50)))
    assert results == [(X + number).tolist() for number in range(50)]
    assert len(runs(captured)) == 50


def test_sessions_made_before_are_seen(captured: Captured) -> None:
    OnnxRuntimeInstrumentor().uninstrument()
    model = session()
    model.run(None, {"x": X})
    OnnxRuntimeInstrumentor().instrument()
    model.run(None, {"x": X})
    assert captured.names == ["inference tiny"]


def test_nothing_is_left_behind_after_uninstrumenting() -> None:
    OnnxRuntimeInstrumentor().uninstrument()
    assert ort.InferenceSession.run.__qualname__ == "Session.run"
    assert not hasattr(ort.InferenceSession.run, "__wrapped__")
    assert not hasattr(ort.InferenceSession.__init__, "__wrapped__")
    OnnxRuntimeInstrumentor().instrument()


def test_a_program_that_nobody_here_wrote_is_seen(captured: Captured) -> None:
    magika = pytest.importorskip("magika")
    result = magika.Magika().identify_bytes(b"import os\n\n\ndef main():\n    print(os.name)\n" * 20)
    assert result.output.label == "python"
    (span,) = runs(captured)
    assert span.attributes["gen_ai.provider.name"] == "onnxruntime"
    assert span.attributes["tollbook.inference.batch_size"] == 1
    assert span.attributes["tollbook.inference.input.size"] == 8192


def threading_cpu_ns() -> int:
    import time

    return time.thread_time_ns()


def broken(*_args: Any, **_kwargs: Any) -> Any:
    raise ZeroDivisionError("a fault of ours")


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.cpu._thread_ids",
        "tollbook.cpu.ThreadPool._advance",
        "tollbook.cpu.credit",
        "tollbook.digest.digest",
        "tollbook.integrations.onnxruntime._Model.__init__",
        "tollbook.integrations.onnxruntime._sha256",
        "tollbook.integrations.onnxruntime._hardware",
        "tollbook.integrations.onnxruntime._shape",
        "tollbook.integrations.onnxruntime.loading",
        "tollbook.integrations.onnxruntime.loaded",
        "tollbook.integrations.local_models._LOADING.begin",
        "tollbook.integrations.onnxruntime._tensor_bytes",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_run_alone(
    lenient: None, captured: Captured, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    monkeypatch.setattr(hook, broken)
    model = session(threads=2)
    assert model.run(None, {"x": X})[0].tolist() == X.tolist()
    done = threading.Event()
    model.run_async(["y"], {"x": X}, lambda *_answer: done.set(), None)
    assert done.wait(10)
    with pytest.raises(ValueError, match="Required inputs"):
        model.run(None, {})


def test_a_session_that_changes_its_threads_keeps_running(captured: Captured) -> None:
    model = session(threads=2)
    model.run(None, {"x": X})
    model.set_providers(["CPUExecutionProvider"])  # ends the session's threads and starts others
    for _run in range(3):
        assert model.run(None, {"x": X})[0].tolist() == X.tolist()
    assert all(span.attributes["tollbook.cpu.time"] > 0 for span in runs(captured))


def test_what_a_callback_does_belongs_to_the_request_and_not_to_the_run(captured: Captured) -> None:
    done = threading.Event()

    def callback(*_answer: Any) -> None:
        with tollbook.handoff("write", name="keep"):
            pass
        done.set()

    model = session(threads=2)
    with tollbook.request("r"):
        model.run_async(["y"], {"x": X}, callback, None)
        assert done.wait(10)
    assert captured.named("keep").parent.span_id == captured.named("r").context.span_id
