"""Which names of an hour are of one machine: what its facts tell as `host.id`, `host.name` and `k8s.node.name`.

Steps know a machine by its `host.id`, else by its `k8s.node.name`, else by its `host.name`, and then look that word up in
what is worked out here, once for the hour. It is empty where every fact tells an id and none a node.

Our SDK tells a digest of the machine's id, others the id itself. Where both are told they are one machine, under the digest.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from tollbook_schema import machine_ids, sql
from tollbook_schema.store import Node

NEEDED_FOR: Final = ("unnamed_hosts", "digested_hosts", "carried")
"""Words of `needs` for hours in which a machine may have several names."""

OF_NO_MACHINE: Final = re.compile(r"|localhost(\..*)?|[0-9.]+|.*:.*")
"""Names that any machine may have, and addresses."""

NONE: Final[Mapping[str, list[str]]] = {"host_names": [], "host_ids": []}
"""What steps bind where no machine has several names."""


@dataclass(frozen=True)
class Told:
    """What one resource tells of its machine; empty where it does not."""

    host_id: str = ""
    host_name: str = ""
    node: str = ""
    """`k8s.node.name`. Where it is not `host_name`, that is the name of the pod, and the id that of its container."""
    region: str = ""
    cluster: str = ""


def of_hour(node: Node, bound: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """What steps bind of an hour: names, and for each the machine that has it."""
    hour = {name: bound[name] for name in ("tenant", "window", "until")}
    found = machines(Told(**row) for row in node.query(sql.text("tollbook_attribution", "queries/machine_names.sql"), hour))
    return {"host_names": list(found), "host_ids": list(found.values())}


def machines(told: Iterable[Told]) -> dict[str, str]:
    """The machine that has each name; a name that is not there, or that two machines have, is a machine of its own."""
    facts = tuple(told)
    digests = _told_as_digests({one.host_id for one in facts})
    known = _Known(tuple(replace(one, host_id=digests.get(one.host_id, one.host_id)) for one in facts))
    found = {name: known.machine_of(name) for name in sorted(known.words)}
    found |= {host_id: found[digest] for host_id, digest in digests.items()}
    return {name: machine for name, machine in found.items() if machine != name}


def _told_as_digests(ids: set[str]) -> dict[str, str]:
    """Ids whose digest is told as an id too."""
    if not any(len(one) == machine_ids.DIGEST_LENGTH for one in ids):
        return {}
    return {one: digest for one in ids if (digest := machine_ids.digest_of_spelling(one)) in ids}


class _Known:
    """What an hour tells of names, each in lower case, as the names of machines are the same in any."""

    def __init__(self, told: tuple[Told, ...]) -> None:
        self.words = {word for one in told for word in (one.host_id, one.host_name, one.node) if word}
        self._told = told
        self._nodes = {_folded(one.node) for one in told if one.node}

    def machine_of(self, word: str) -> str:
        """The machine that has a name or an id; the same word where it is a machine of its own."""
        if word in self._homes:
            return self._of_node(_only(self._homes[word]), word) if word not in self._own_ids else word
        return self._of_name(_folded(word)) or word if word not in self._ids else word

    def _of_name(self, name: str) -> str:
        """The machine of a name; of one with its domain and one without, where there is one such pair, the one that has an id."""
        if name in self._unclear or OF_NO_MACHINE.fullmatch(name):
            return ""
        if name in self._ids_of:
            return _only(self._ids_of[name])
        if name in self._nodes:
            return self._of_node(name, "")
        if name in self._pods:
            return self._of_node(_only(self._pods[name]), "")
        alike = self._of_label.get(_label(name), {name})
        if sum("." in other for other in alike) != 1:
            return self._spelled.get(name, "")
        ids = {word for other in alike for word in self._ids_of.get(other, ())}
        return _only(ids) if ids else self._spelled[max(alike, key=len)]

    def _of_node(self, node: str, otherwise: str) -> str:
        """The one id of the node itself; else of the one container on it; else its name."""
        if not node or node in self._unclear:
            return otherwise
        if node in self._ids_of:
            return _only(self._ids_of[node]) or otherwise
        return _only(self._guests.get(node, set())) or self._spelled[node]

    @cached_property
    def _guests(self) -> dict[str, set[str]]:
        """Ids of containers that each node alone was told with."""
        return _gathered((_only(homes), word) for word, homes in self._homes.items() if word in self._ids and len(homes) == 1)

    @cached_property
    def _own_ids(self) -> set[str]:
        """Ids told with the name of a node itself."""
        return {one.host_id for one in self._told if self._has_own_id(one) and _folded(one.host_name) in self._nodes}

    @cached_property
    def _ids(self) -> set[str]:
        return {one.host_id for one in self._told if one.host_id not in ("", one.host_name)}

    @cached_property
    def _ids_of(self) -> dict[str, set[str]]:
        """Ids told with each name, without those of containers."""
        return _gathered((one.host_name, one.host_id) for one in self._told if self._has_own_id(one) and not self._in_a_pod(one))

    @cached_property
    def _homes(self) -> dict[str, set[str]]:
        """Nodes that each container's id was told with."""
        homes: defaultdict[str, set[str]] = defaultdict(set)
        for one in self._told:
            if one.host_id and self._in_a_pod(one):
                homes[one.host_id].add(_folded(one.node))
        return dict(homes)

    @cached_property
    def _pods(self) -> dict[str, set[str]]:
        """Nodes that each pod's name was told with."""
        return _gathered((one.host_name, _folded(one.node)) for one in self._told if one.host_name and self._in_a_pod(one))

    @cached_property
    def _unclear(self) -> set[str]:
        """Names told in several regions or clusters."""
        places = [
            _gathered((name, place) for one in self._told if (place := getattr(one, kind)) for name in (one.host_name, one.node))
            for kind in ("region", "cluster")
        ]
        return {name for told in places for name, where in told.items() if len(where) > 1}

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """How each name is spelled first."""
        return {
            _folded(name): name
            for name in sorted({name for one in self._told for name in (one.host_name, one.node) if name}, reverse=True)
        }

    @cached_property
    def _of_label(self) -> dict[str, set[str]]:
        """Names that begin with each label."""
        return _gathered((_label(name), name) for name in self._spelled if not OF_NO_MACHINE.fullmatch(name))

    @staticmethod
    def _has_own_id(one: Told) -> bool:
        """Whether it tells an id that is not its name once more."""
        return one.host_id not in ("", one.host_name)

    def _in_a_pod(self, one: Told) -> bool:
        """Whether its name is not that of its node, nor of another node that tells of it."""
        return bool(one.node) and not _alike(one.host_name, one.node) and _folded(one.host_name) not in self._nodes


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in pairs:
        found[_folded(name)].add(value)
    return found


def _only(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _alike(one: str, other: str) -> bool:
    """Whether two names are the same, or one is the first label of the other."""
    one, other = _folded(one), _folded(other)
    return one == other or (_label(one) == _label(other) and ("." not in one or "." not in other))


def _folded(name: str) -> str:
    return name.lower().rstrip(".")


def _label(name: str) -> str:
    return name.partition(".")[0]
