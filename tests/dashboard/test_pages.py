from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from tollbook_ui import units
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import outputs
from tollbook_ui.figures import Scope
from tollbook_ui.look import blocks
from tollbook_ui.look import outputs as look
from tollbook_ui.periods import BadQuestionError

from tests.dashboard.conftest import PAGES, words
from tests.report.week import HOSTILE

Shown = Callable[..., AppTest]
REMOTE = "00000000000000000000000000000004"
CHAT = "00000000000000000000000000000014"
UNPRICED = "00000000000000000000000000000016"

pytestmark = pytest.mark.usefixtures("filled")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_renders(shown: Shown, name: str) -> None:
    page = shown(name)
    assert not page.exception
    assert "The store does not answer" not in words(page)
    assert "Nothing here yet" not in words(page)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_takes_a_name_for_markup(shown: Shown, name: str) -> None:
    assert HOSTILE not in "".join(element.proto.body for element in shown(name).get("html"))


def test_the_overview_shows_the_total_of_the_answers(shown: Shown, filled: Answers) -> None:
    total = filled.overview().totals.total_usd
    assert f'title="{units.usd_exact(total)}"' in words(shown("overview"))
    assert units.usd_exact(total) == "$0.021"


def test_simulated_money_wears_a_badge(shown: Shown) -> None:
    assert "tokens, simulated" in words(shown("overview"))
    assert '<span class="tb-badge">simulated</span>' in words(shown("requests", trace_id=CHAT))


def test_a_call_without_a_price_is_unpriced_and_not_free(shown: Shown) -> None:
    page = words(shown("requests", trace_id=UNPRICED))
    assert "1 unpriced" in page
    assert "house-model-9" in page
    assert "What these calls cost is unknown and not in the total." in page


def test_an_age_that_nobody_knows_is_unknown(shown: Shown) -> None:
    assert '<div class="tb-value muted">unknown</div>' in words(shown("requests", trace_id=CHAT))


def test_a_request_has_its_receipt_beside_its_waterfall(shown: Shown, filled: Answers) -> None:
    page = shown("requests", trace_id=REMOTE)
    total = filled.receipt(REMOTE).total_usd
    assert f"Adds up to the last digit: {units.usd_exact(total)}" in words(page)
    assert len(page.get("bidi_component")) == 1


def test_a_trace_that_is_not_there_is_told(shown: Shown) -> None:
    assert "No such request" in words(shown("requests", trace_id="f" * 32))
    assert "No such request" in words(shown("requests", trace_id="<b>"))


def test_the_execution_tax_is_on_the_overview(shown: Shown) -> None:
    page = words(shown("overview"))
    assert "Execution tax of magika" in page
    assert "+40 ms" in page


def test_a_team_narrows_every_figure(shown: Shown, filled: Answers) -> None:
    page = shown("overview", team="support")
    assert page.selectbox(key="team").value == "support"
    assert "$0.009" in words(page)
    assert "$0.021" not in words(page)


def test_a_filter_that_fits_nothing_says_where_the_data_is(shown: Shown) -> None:
    page = shown("overview", team="support", workflow="intake")
    assert "Nothing in this period for this team and workflow" in words(page)
    assert "The store holds 10 requests" in words(page)


def test_the_cpu_is_not_called_an_accelerator(shown: Shown) -> None:
    page = words(shown("accelerators"))
    assert "No accelerator reported" in page
    assert "CPU, no accelerator" in page


def test_owners_can_be_grouped_by_workflow(shown: Shown) -> None:
    page = shown("owners")
    page.segmented_control(key="owners_by").set_value("workflow").run()
    assert not page.exception
    assert "Cost by workflow" in words(page)
    assert "intake-remote" in words(page)


def test_principals_are_those_of_the_answers(shown: Shown, filled: Answers) -> None:
    page = shown("principals")
    found = filled.data.principals(Scope())
    assert {row.principal for row in found.rows} == {"intake", "model-server", "svc"}
    assert all(row.principal in words(page) for row in found.rows)
    assert 'title="file:///staging/1.txt"' in words(page)
    page.selectbox(key="principals_principal").set_value("intake")
    page.selectbox(key="principals_model").set_value(HOSTILE).run()
    assert not page.exception
    assert "Nobody did" in words(page)


def test_outputs_wait_for_the_records_to_join_them_with(shown: Shown) -> None:
    assert "No records to join with yet" in words(shown("outputs"))


def test_orphans_of_both_sides_are_on_the_outputs_page(filled: Answers) -> None:
    told = filled.outputs.told(Scope(), "trace").rows
    kept = "".join(f"{row.id}\n" for row in told[1:])
    found = outputs.joined(filled, Scope(), ("kept.csv", f"trace_id\n{kept}gone\n".encode()), "trace")
    page = blocks.html(look.cards(found), look.output_table(found.orphan_outputs, str), look.record_table(found.orphan_records))
    assert (len(found.orphan_outputs), [row.id for row in found.orphan_records]) == (1, ["gone"])
    assert f'href="{told[0].trace_id}"' in page
    with pytest.raises(BadQuestionError, match=r"kept\.csv is empty"):
        outputs.joined(filled, Scope(), ("kept.csv", b""), "trace")
