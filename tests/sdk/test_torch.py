"""PyTorch, transformers and sentence-transformers, real, with tiny random models. Skipped where they are not installed: 3 GB."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook.integrations.sentence_transformers import SentenceTransformersInstrumentor
from tollbook.integrations.torch import TorchInstrumentor
from tollbook.integrations.transformers import TransformersInstrumentor
from tollbook.resource import host_id
from tollbook.testing import Captured

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "two", "and", "four", "is", "what"]


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    instrumentors = [TorchInstrumentor(), TransformersInstrumentor(), SentenceTransformersInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed")


def inferences(captured: Captured) -> list[dict[str, Any]]:
    spans = [dict(span.attributes or {}) | {"name": span.name} for span in captured.spans]
    return [span for span in spans if span["tollbook.kind"] == "inference"]


class Scorer(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))

    def forward(self, x: Any) -> Any:
        return self.inner(x)


def test_only_the_outermost_module_is_an_inference(captured: Captured) -> None:
    model = Scorer().eval()
    with torch.no_grad(), tollbook.request("r"):
        assert model(torch.ones(3, 4)).shape == (3, 1)
    attributes = dict(captured.attributes("inference Scorer"))
    assert captured.names == ["inference Scorer", "r"]
    assert attributes.pop("tollbook.cpu.time") > 0
    assert attributes == {
        "tollbook.kind": "inference",
        "tollbook.inference.location": "in_process",
        "gen_ai.operation.name": "inference",
        "gen_ai.provider.name": "pytorch",
        "gen_ai.request.model": "Scorer",
        "tollbook.model.size": (4 * 8 + 8 + 8 + 1) * 4,
        "tollbook.model.dtype": "float32",
        "tollbook.inference.input.size": 3 * 4 * 4,
        "tollbook.inference.output.size": 3 * 4,
        "tollbook.inference.batch_size": 3,
        "tollbook.accelerator.state": "warming",
        "hw.type": "cpu",
        "hw.id": f"{host_id()}/cpu",
        "gen_ai.workflow.name": "r",
    }


def test_training_is_no_inference_and_neither_is_a_loss(captured: Captured) -> None:
    model, loss = Scorer(), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss(model(torch.ones(3, 4)), torch.ones(3, 1)).backward()
    optimizer.step()
    assert captured.names == []
    model.eval()
    with torch.inference_mode():
        loss(model(torch.ones(3, 4)), torch.ones(3, 1))
    assert captured.names == ["inference Scorer"]


def test_a_compiled_module_is_an_inference_and_compiles_whole(captured: Captured) -> None:
    model = Scorer().eval()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        compiled(torch.ones(2, 4))
        compiled(torch.ones(2, 4))
    assert [(span["name"], span.get("tollbook.accelerator.state")) for span in inferences(captured)] == [
        ("inference Scorer", "warming"),
        ("inference Scorer", None),
    ]


def test_an_error_of_a_module_is_its_own(captured: Captured) -> None:
    with torch.no_grad(), pytest.raises(RuntimeError, match="shapes"):
        Scorer().eval()(torch.ones(3, 5))
    assert captured.attributes("inference Scorer")["error.type"] == "RuntimeError"
    with torch.no_grad():
        Scorer().eval()(torch.ones(3, 4))
    assert len(inferences(captured)) == 2, "a failure leaves nothing behind"


def test_a_file_that_torch_loads_is_a_load(captured: Captured, tmp_path: Path) -> None:
    torch.save(Scorer().state_dict(), tmp_path / "scorer.pt")
    assert "inner.0.weight" in torch.load(tmp_path / "scorer.pt")
    load = captured.attributes("load_model scorer")
    assert load["tollbook.accelerator.state"] == "loading"
    assert load["tollbook.handoff.size"] == (tmp_path / "scorer.pt").stat().st_size


def test_torch_is_as_before_after_uninstrumenting(captured: Captured) -> None:
    TorchInstrumentor().uninstrument()
    assert torch.nn.Module.__call__ is torch.nn.Module._wrapped_call_impl
    assert not hasattr(torch.load, "__wrapped__")
    Scorer().eval()(torch.ones(3, 4))
    assert captured.names == []
    TorchInstrumentor().instrument()


@pytest.fixture
def folder(transformers: Any, tmp_path: Path) -> Path:
    """A tiny BERT with a tokenizer of ten words."""
    folder = tmp_path / "tiny-bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    config = transformers.BertConfig(
        vocab_size=10, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=32
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def gpt(transformers: Any) -> Any:
    config = transformers.GPT2Config(vocab_size=10, n_positions=32, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=9)
    return transformers.GPT2LMHeadModel(config).eval()


def test_a_pipeline_is_one_inference(captured: Captured, transformers: Any, folder: Path) -> None:
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    assert len(pipeline(["two and two", "what is four"])) == 2
    assert captured.names == ["load_model tiny-bert", "text-classification tiny-bert"]
    load = captured.attributes("load_model tiny-bert")
    assert load["tollbook.handoff.size"] == (folder / "model.safetensors").stat().st_size
    assert load["tollbook.model.size"] == captured.attributes("text-classification tiny-bert")["tollbook.model.size"]
    (call,) = inferences(captured)
    assert call["gen_ai.provider.name"] == "transformers"
    assert call["gen_ai.operation.name"] == "text-classification"
    assert call["tollbook.inference.batch_size"] == 2


def test_what_a_pipeline_makes_later_is_counted_then(captured: Captured, transformers: Any, folder: Path) -> None:
    pipeline = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    results = pipeline(text for text in ["two", "and", "four"])
    assert inferences(captured) == []
    assert len(list(results)) == 3
    assert len(inferences(captured)) == 3


def test_generated_tokens_are_counted_and_padding_is_none(captured: Captured, transformers: Any) -> None:
    model = gpt(transformers)
    given = torch.tensor([[1, 2, 3], [0, 4, 5]])
    mask = torch.tensor([[1, 1, 1], [0, 1, 1]])
    made = model.generate(given, attention_mask=mask, max_new_tokens=6, do_sample=False, pad_token_id=0)
    new = made[:, 3:].tolist()
    expected = sum(row.index(9) + 1 if 9 in row else len(row) for row in new)
    (call,) = inferences(captured)
    assert (call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]) == (5, expected)
    assert call["name"] == "text_completion GPT2LMHeadModel"
    assert call["tollbook.inference.batch_size"] == 2


def test_what_follows_the_end_of_a_sequence_is_no_token() -> None:
    from types import SimpleNamespace

    from tollbook.integrations.transformers import _made_tokens

    model = SimpleNamespace(config=SimpleNamespace(), generation_config=SimpleNamespace(eos_token_id=[8, 9]))
    given = torch.tensor([[1, 2], [1, 2], [1, 2]])
    made = torch.tensor([[1, 2, 5, 9, 9, 9], [1, 2, 5, 5, 5, 5], [1, 2, 8, 0, 0, 0]])
    assert _made_tokens(model, made, given) == 2 + 4 + 1
    model.config.is_encoder_decoder = True
    assert _made_tokens(model, torch.tensor([[0, 5, 5, 9, 0]]), given) == 3


def test_a_streamed_generation_tells_its_first_token(captured: Captured, transformers: Any) -> None:
    class Streamer(transformers.generation.streamers.BaseStreamer):  # type: ignore[misc,name-defined]
        puts = 0

        def put(self, value: Any) -> None:
            self.puts += 1

        def end(self) -> None:
            """Nothing is kept open."""

    streamer = Streamer()
    gpt(transformers).generate(torch.tensor([[1, 2]]), max_new_tokens=4, do_sample=False, streamer=streamer, pad_token_id=0)
    assert streamer.puts > 1
    (call,) = inferences(captured)
    assert call["gen_ai.request.stream"] is True
    assert call["gen_ai.response.time_to_first_chunk"] > 0


def test_an_encoding_is_one_inference_with_its_tokens(captured: Captured, folder: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    vectors = model.encode(["two and two", "four"], batch_size=1)
    assert vectors.shape == (2, 8)
    (call,) = inferences(captured)
    assert call["gen_ai.operation.name"] == "embeddings"
    assert call["gen_ai.provider.name"] == "sentence-transformers"
    assert call["gen_ai.usage.input_tokens"] == 5 + 3, "with the two that begin and end a text"
    assert call["tollbook.inference.batch_size"] == 2
    assert call["tollbook.inference.output.size"] == 2 * 8 * 4
    loads = [name for name in captured.names if name.startswith("load_model")]
    assert len(loads) == 1
    del model
    gc.collect()
    assert [name for name in captured.names if name.startswith("evict_model")]


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("a fault of ours")


@pytest.mark.parametrize("hook", ["Model.__init__", "device_of", "tensor_bytes", "batch_size", "_say_clock", "loading", "loaded"])
def test_a_fault_in_any_hook_leaves_the_model_alone(
    captured: Captured, lenient: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hook: str
) -> None:
    monkeypatch.setattr(f"tollbook.integrations.torch.{hook}", broken)
    with torch.no_grad():
        assert Scorer().eval()(torch.ones(3, 4)).shape == (3, 1)
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pt")
    assert torch.load(tmp_path / "a.pt")["a"].item() == 1
