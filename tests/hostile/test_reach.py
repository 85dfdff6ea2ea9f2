"""SQL that reaches for files, sockets, settings, other databases, other people's queries: refused, with nothing touched (S8)."""

# ruff: noqa: RUF001 - typographic quotation marks are an attack

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tollbook_ui.cli import app
from typer.testing import CliRunner

from tests.hostile.conftest import state
from tests.served import Served
from tests.soak.figures import Fault

ATTACKS = (
    # table functions
    "SELECT * FROM file('{canary}')",
    "SELECT * FROM file('{canary}', 'LineAsString')",
    "SELECT * FROM fileCluster('default', '{canary}')",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT * FROM url('{url}', 'LineAsString', 'a String')",
    "SELECT * FROM urlCluster('default', '{url}', 'LineAsString', 'a String')",
    "SELECT * FROM s3('{url}/a.csv')",
    "SELECT * FROM s3Cluster('default', '{url}/a.csv')",
    "SELECT * FROM gcs('{url}/a.csv')",
    "SELECT * FROM hdfs('hdfs://{host}/a', 'CSV')",
    "SELECT * FROM azureBlobStorage('{url}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM iceberg('{url}/a')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM deltaLake('{url}/a')",
    "SELECT * FROM hudi('{url}/a')",
    "SELECT * FROM remote('{host}', 'system', 'one')",
    "SELECT * FROM remoteSecure('{host}', 'system', 'one')",
    "SELECT * FROM cluster('default', 'default', 'canary')",
    "SELECT * FROM clusterAllReplicas('default', 'default', 'canary')",
    "SELECT * FROM postgresql('{host}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM mysql('{host}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM mongodb('{host}', 'a', 'b', 'c', 'd', 'e String')",
    "SELECT * FROM redis('{host}', 'a', 'a String')",
    "SELECT * FROM sqlite('{canary}', 'a')",
    "SELECT * FROM jdbc('jdbc:x', 'a')",
    "SELECT * FROM odbc('DSN=x', 'a')",
    "SELECT * FROM executable('touch {folder}/struck', 'TSV', 'a String')",
    "SELECT * FROM python('canary')",
    "SELECT * FROM merge('default', '.*')",
    "SELECT * FROM merge('system', 'processes')",
    "SELECT * FROM loop('default', 'canary')",
    "SELECT * FROM dictionary('a')",
    "SELECT * FROM input('a String')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT * FROM mergeTreeIndex('default', 'canary')",
    "DESCRIBE TABLE file('{canary}')",
    "DESCRIBE TABLE url('{url}')",
    "EXPLAIN SELECT * FROM url('{url}', 'LineAsString', 'a String')",
    "EXPLAIN TABLE OVERRIDE mysql('{host}', 'a', 'b', 'c', 'd') PARTITION BY 1",
    # functions, called by name, by reference, by transformation
    "SELECT file('{canary}')",
    "SELECT FILE('{canary}')",
    "SELECT * APPLY(file) FROM (SELECT '{canary}')",
    "SELECT * APPLY file FROM (SELECT '{canary}')",
    "SELECT COLUMNS('x') APPLY(x -> file(x)) FROM (SELECT '{canary}' AS x)",
    "SELECT arrayMap(file, ['{canary}'])",
    "SELECT arrayMap(x -> file(x), ['{canary}'])",
    "WITH x -> file(x) AS f SELECT f('{canary}')",
    "SELECT getSetting('max_threads')",
    "SELECT getSettingOrDefault('max_threads', 1)",
    "SELECT getServerSetting('max_threads')",
    "SELECT getMacro('x')",
    "SELECT dictGet('a', 'b', 1)",
    "SELECT joinGet('a', 'b', 1)",
    "SELECT hasColumnInTable('{host}', 'a', 'b', 'c')",
    "SELECT filesystemAvailable()",
    "SELECT hostName()",
    "SELECT showCertificate()",
    "SELECT getClientHTTPHeader('a')",
    "SELECT aiGenerate('x')",
    "SELECT addressToLine(1)",
    "SELECT logTrace('x')",
    "SELECT sleep(3)",
    "SELECT * APPLY(sleepEachRow) FROM (SELECT 3)",
    # a file for a table
    "SELECT * FROM '{canary}'",
    "SELECT * FROM `{canary}`",
    'SELECT * FROM "{canary}"',
    "SELECT * FROM spans, `{canary}`",
    # where the answer goes, what limits it, what comes after
    "SELECT 1 INTO OUTFILE '{folder}/struck'",
    "SELECT 1 INTO/**/OUTFILE '{folder}/struck' TRUNCATE",
    "EXPLAIN AST SELECT 1 INTO OUTFILE '{folder}/struck'",
    "SHOW TABLES INTO OUTFILE '{folder}/struck'",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "SELECT 1 FORMAT Null",
    "SELECT 1; INSERT INTO canary VALUES ('struck')",
    "SHOW TABLES PARALLEL WITH INSERT INTO canary VALUES ('struck')",
    "EXPLAIN SELECT 1; DROP TABLE canary",
    "SELECT 1 /* /* */ ' */ */, file('{canary}') -- '",
    "SELECT ‘ ’, file('{canary}'), ‘ ’",
    "SELECT $a$ ' $a$, file('{canary}'), $a$ ' $a$",
    "SELECT 1 -- \n , file('{canary}')",
    "SELECT 1 #! \n , file('{canary}')",
    # what is no question
    "INSERT INTO canary VALUES ('struck')",
    "INSERT INTO FUNCTION file('{folder}/struck') SELECT 1",
    "CREATE TABLE struck (a UInt8) ENGINE = File(CSV)",
    "CREATE FUNCTION struck AS x -> file(x)",
    "CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(FILE(path '{canary}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    "ATTACH TABLE struck FROM '{folder}' (a UInt8) ENGINE = MergeTree ORDER BY a",
    "BACKUP TABLE canary TO File('{folder}/struck')",
    "DROP TABLE canary",
    "DELETE FROM canary WHERE 1",
    "UPDATE canary SET word = 'struck' WHERE 1",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "SET readonly = 0",
    "USE system",
    "GRANT ALL ON *.* TO default",
    "BEGIN TRANSACTION",
    "EXECUTE AS default SELECT 1",
    # the server itself
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`settings`",
    'SELECT * FROM "system"."query_log"',
    "SELECT count() FROM system.named_collections",
    "SELECT 1 WHERE 'x' IN system.one",
    "SELECT 1 WHERE 'x' IN (SELECT name FROM system.users)",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM INFORMATION_SCHEMA.COLUMNS",
    "SHOW PROCESSLIST",
    "SHOW TABLES FROM system",
    "SHOW COLUMNS FROM one FROM system",
    "SHOW CREATE TABLE system.one",
    "SHOW GRANTS",
    "SHOW USERS",
    "SHOW SETTINGS LIKE '%'",
    "SHOW CREATE USER default",
    "SHOW CLUSTERS",
    "EXISTS TABLE system.one",
    "DESCRIBE TABLE system.one",
)
MUST = "all refused, no file opened, no connection"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who waits to be called."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.fault("S8", "SQL that reaches outside, by API and command line", MUST)
def test_no_question_reaches_a_file_a_socket_or_the_server(
    fault: Fault, sample: Served, web: httpx.Client, listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary.csv"
    canary.write_text("the canary\n")
    before, read_at = state(web), canary.stat().st_atime_ns
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    attacks = [attack.format(canary=canary, folder=tmp_path, host=host, url=f"http://{host}") for attack in ATTACKS]
    monkeypatch.setenv("TOLLBOOK_DATA", str(sample.data))
    answered, took = [], []
    with traced(sample.process.pid, tmp_path / "trace") as calls:
        for attack in attacks:
            began = time.monotonic()
            answer = web.post("/api/v1/sql", json={"query": attack})
            took.append(time.monotonic() - began)
            answered += [f"{answer.status_code} {attack}: {answer.text[:200]}"] if answer.status_code != 400 else []
        for attack in attacks if fault.soak else attacks[::6]:
            result = CliRunner().invoke(app, ["sql", attack])
            answered += [f"{attack}: {result.output[:200]}"] if result.exit_code != 1 else []
        seen = len(calls())
    touched = [call for call in calls() if str(tmp_path) in call or f"htons({listener.getsockname()[1]})" in call]
    called = _was_called(listener)
    struck = [path.name for path in tmp_path.iterdir() if path.name not in ("canary.csv", "trace")]
    refused = f"{len(attacks)} statements, {len(answered)} answered, the longest refusal took {max(took):.2f} s"
    fault.found(f"{refused}; {len(touched)} of {seen:,} system calls touched the canary, {int(called)} connections")
    assert answered == []
    assert (touched, called, struck) == ([], False, [])
    assert canary.stat().st_atime_ns == read_at
    assert state(web) == before


@contextlib.contextmanager
def traced(pid: int, log: Path) -> Iterator[Callable[[], list[str]]]:
    """What a process opens and connects to while this is entered, by strace; nothing where there is none or it may not look."""
    calls = "trace=openat,open,creat,connect,stat,newfstatat,statx,access,faccessat2,execve,unlink,rename"
    command = ["strace", "-f", "-qq", "-e", calls, "-s", "300", "-o", str(log), "-p", str(pid)]
    strace = subprocess.Popen(command, stderr=subprocess.DEVNULL) if shutil.which("strace") else None
    while strace is not None and strace.poll() is None and not _is_traced(pid):
        time.sleep(0.05)
    try:
        yield lambda: log.read_text(errors="replace").splitlines() if log.exists() else []
    finally:
        if strace is not None:
            strace.terminate()
            strace.wait(20)


def _is_traced(pid: int) -> bool:
    found = re.search(r"TracerPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return bool(found and int(found[1]))


def _was_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
