"""Spans in the order a waterfall shows them: children under their parent, by start. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from tollbook_ui.figures import Span


def ordered(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans with their depth, depth first and by start.

    A span whose parent is not among them is a root of its own, and so is one member of a circle of parents.
    """
    unique = {span.span_id: span for span in spans}
    children: defaultdict[str, list[Span]] = defaultdict(list)
    for span in sorted(unique.values(), key=lambda span: (span.start_offset_ns, -span.duration_ns)):
        children[span.parent_span_id if span.parent_span_id in unique else ""].append(span)
    rows: dict[str, Span] = {}
    for root in [*children[""], *unique.values()]:
        _descend(root, children, rows)
    return tuple(rows.values())


def _descend(root: Span, children: dict[str, list[Span]], rows: dict[str, Span]) -> None:
    """Adds `root` and all below it to `rows`; on a stack of its own, because a trace may be deeper than Python's."""
    stack = [(root, 0)]
    while stack:
        span, depth = stack.pop()
        if span.span_id not in rows:
            rows[span.span_id] = replace(span, depth=depth)
            stack.extend((child, depth + 1) for child in reversed(children.get(span.span_id, [])))
