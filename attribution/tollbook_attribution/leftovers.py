"""What was only needed on the way: rows of work tables, under the number of their settlement and those right after it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tollbook_schema import cluster, sql
from tollbook_schema.store import Node

from tollbook_attribution.merges import ANY_TABLE

AT_A_TIME: Final = 8
"""Tables emptied side by side: the disk is waited for, seconds for the files of a large hour, and hardly any CPU is used."""


def numbers(node: Node) -> list[tuple[str, int]]:
    """Work tables that hold rows, each with every number that it holds rows under."""
    return [(row["name"].removesuffix(cluster.LOCAL), int(row["settlement"])) for row in node.query(_query("at_work.sql"))]


def remove(node: Node, first: int, last: int) -> None:
    """Removes what lies under these numbers and those between them."""

    def drop(table: str, number: int) -> None:
        node.command(_query("work_done.sql").replace(ANY_TABLE, table), {"settlement": number})

    held = [(table, number) for table, number in numbers(node) if first <= number <= last]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for dropped in [pool.submit(drop, table, number) for table, number in held]:
            dropped.result()


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
