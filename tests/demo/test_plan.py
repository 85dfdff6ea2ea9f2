"""What a run of the demo plants."""

from pathlib import Path

from tollbook_ui.demo import plan
from tollbook_ui.demo.corpus import Root


def make(tmp_path: Path, count: int) -> plan.Plan:
    roots = (Root("python", Path("/python")), Root("share", Path("/share")))
    return plan.make(tmp_path, [(roots[number % 2], Path(f"/there/{number}.txt")) for number in range(count)])


def test_every_fourth_document_is_copied_twice(tmp_path: Path) -> None:
    assert [d.mirrored for d in make(tmp_path, 8).documents] == [False, False, False, True] * 2


def test_every_fifth_document_is_sent_in_twice_and_both_teams_have_some(tmp_path: Path) -> None:
    repeated = [document for document in make(tmp_path, 10).documents if document.repeated]
    assert [document.owner.team for document in repeated] == ["platform", "knowledge"]


def test_requests_are_one_sync_and_two_intakes_a_document_and_the_chats(tmp_path: Path) -> None:
    made = make(tmp_path, 10)
    assert made.intakes == 12
    assert len(made.chats) == 4
    assert made.requests == 10 + 2 * 12 + 4


def test_every_fourth_chat_asks_a_model_without_a_price(tmp_path: Path) -> None:
    assert [chat.model for chat in make(tmp_path, 10).chats] == ["gpt-4o", "gpt-4o", "gpt-4o", "acme-summary-2"]


def test_documents_of_the_machine_have_three_customers(tmp_path: Path) -> None:
    assert {document.owner.customer for document in make(tmp_path, 10).documents} == {"internal", "acme", "globex"}


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = make(tmp_path, 10)
    assert plan.load(plan.save(made)) == made
