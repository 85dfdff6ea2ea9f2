"""Blocks as HTML: names are text, whatever is in them."""

from decimal import Decimal

import pytest
from tollbook_ui.look import blocks, effort
from tollbook_ui.look.blocks import Column, Part, Stack, Table


def test_a_name_that_turns_the_direction_of_writing_turns_nothing() -> None:
    backwards = "\u202ereven"
    html = blocks.html(
        Stack([Part(backwards, Decimal(5), "$5.00", "#123456")]), Table((Column("Team"),), ((blocks.text(backwards),),))
    )
    assert "\u202e" not in html
    assert "<bdi>\\u202ereven</bdi> <b>$5.00</b>" in html


def test_a_very_long_name_is_whole_on_hover_only() -> None:
    name = "x" * 300
    cell, linked = blocks.text(name), blocks.linked(name, "1", lambda trace_id: trace_id)
    assert (cell.exact, linked.exact) == (name, name)
    assert (len(cell.text), cell.text[-1], linked.text) == (blocks.MOST_OF_A_NAME, "…", cell.text)
    assert blocks.text("team").exact == ""


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (f"cpu:{'3f2a91c0' * 4}", "CPU of machine 3f2a91c03f2a"),
        ("cpu:box-7", "CPU of box-7"),
        ("GPU-8f6a91c0-1111", "GPU-8f6a91c0-1111"),
        ("cpu:", "CPU of an unnamed machine"),
    ],
)
def test_a_device_has_a_name_that_people_can_say(device: str, name: str) -> None:
    assert effort.device_name(device) == name
