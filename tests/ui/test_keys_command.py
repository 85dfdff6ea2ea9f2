"""`tollbook keys`: it works while a server is up and while none is, and says what to do with a key."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tollbook_ui.making_keys import told, wish
from tollbook_ui.periods import BadQuestionError


def tollbook(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "tollbook_ui.cli", *words, "--data", str(data)]
    return subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)


def test_keys_are_made_listed_and_revoked_while_no_server_runs(tmp_path: Path) -> None:
    made = tollbook(tmp_path, "keys", "create", "shop", "--tenant", "acme", "--scope", "ingest", "--expires", "90d")
    key = made.stdout.strip()
    assert f"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{key}" in made.stderr
    key_id = key.split("_")[1]
    assert tollbook(tmp_path, "keys", "revoke", key_id).stdout == f"Revoked {key_id} (shop).\n"
    (listed,) = json.loads(tollbook(tmp_path, "keys", "list", "--format", "json").stdout)
    assert (listed["key_id"], listed["tenant"], listed["scopes"], listed["state"]) == (key_id, "acme", ["ingest"], "revoked")
    wrong = tollbook(tmp_path, "keys", "revoke", "0" * 12)
    assert (wrong.returncode, wrong.stderr) == (2, "tollbook: there is no key of that id; list them with: tollbook keys list\n")


@pytest.mark.parametrize(
    ("tenant", "all_tenants", "expires", "said"),
    [
        (None, False, None, "say whose data it is for"),
        ("acme", True, None, "say whose data it is for"),
        ("acme", False, "soon", "'soon' is no length of time"),
        ("acme", False, "0d", "'0d' is no length of time"),
    ],
)
def test_a_wish_that_means_nothing_is_refused(tenant: str | None, all_tenants: bool, expires: str | None, said: str) -> None:
    with pytest.raises(BadQuestionError, match=said):
        wish("shop", ["read"], tenant, all_tenants, expires)


def test_what_is_said_of_a_key_is_what_it_is_for() -> None:
    reader = wish("ann", ["read"], "acme", False, "2w")
    assert reader.expires_hours == 336
    lines = "\n".join(told(reader, "tb_0123456789ab_secret"))
    assert "/login" in lines
    assert "OTEL_EXPORTER" not in lines
    assert "secret" not in lines
