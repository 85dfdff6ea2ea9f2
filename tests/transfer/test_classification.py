"""What spans are for: rules agree with labels given by hand, and what a span says of itself wins over them."""

from collections import Counter

from tollbook_attribution import engine
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Span
from tests.transfer.labelled import LABELLED, spans

FLOOR, FLOOR_OF_A_CLASS = 0.85, 0.75
"""Share of the labelled spans that the rules must class as a person does; of all, and of each class, found and rightly so."""

CLASSES = "SELECT reinterpretAsUInt64(reverse(span_id)) AS span, scaffolding_class AS class FROM span_costs"


def test_rules_agree_with_labels_and_a_spans_own_word_wins(store: Store, intake: Intake) -> None:
    own = Span(900, 9000, name="sync_customers", attributes={"tollbook.scaffolding.class": "useful"})
    intake.spans([*spans(), own])
    engine.settle(store)
    found = {row["span"]: row["class"] for row in store.query(CLASSES)}
    assert found.pop(9000) == "useful"
    # what no rule knows is left unclassed, and counts as useful here: nobody would be sent after it
    told = [(row.label, found[number * 10] or "useful") for number, row in enumerate(LABELLED, start=1)]
    matrix = Counter(told)
    wrong = {row.name: said for row, (label, said) in zip(LABELLED, told, strict=True) if label != said}
    assert sum(count for (label, said), count in matrix.items() if label == said) >= FLOOR * len(LABELLED), wrong
    for name in {label for label, _ in told}:
        right = matrix[name, name]
        assert right >= FLOOR_OF_A_CLASS * sum(count for (label, _), count in matrix.items() if label == name), (name, wrong)
        assert right >= FLOOR_OF_A_CLASS * sum(count for (_, said), count in matrix.items() if said == name), (name, wrong)
