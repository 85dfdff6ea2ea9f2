"""Strings that mean harm. Pure: the same list every time."""

# ruff: noqa: RUF001 - letters that look like others are here on purpose

from collections.abc import Iterator
from itertools import islice, product

MARKS = (
    "'", '"', "`", "\\", "\\'", '\\"', "''", '""', "\0", "%00", "\\0", "\\N", "\n", "\r\n", "\t", "\x1a", ";", "--",
    "#", "/*", "*/",
    "/*!", "$$", "$a$", "$a$'$a$", "{", "}", "{x:Identifier}", "{x:String}", "{team:String}", "{since:DateTime}",
    "%s", "%(team)s", "%27", "?", ":team", "@team", "@@version",
    "‘", "’", "“", "”", "ʼ", "＇", "％２７", "\u202e", "\ufeff", "\u200b", "\u2028", "🧾", "é\u0301", "ﬀ", "Ω" * 3,
    "\ud7ff", "\uffff", "\U0010ffff",
    "", " ", "  ", "0", "-1", "1e309", "NaN", "Infinity", "NULL", "null", "true", "[]", "[0]", "()", "{}", "..",
    "../../etc/passwd", "/etc/hostname", "file:///etc/passwd",
    "a" * 4000, "'" * 1000, "\\" * 999, "(" * 500, "9" * 400, "1" * 39, "٣", "２０２６", "0x41", "1.5", "1,2", ",", ",,",
    "=", "&", "+", "%",
)  # fmt: skip
"""What one of them alone may break."""

TAILS = (
    "; DROP TABLE canary",
    "; DROP TABLE canary --",
    "; DROP TABLE canary /*",
    "; INSERT INTO canary VALUES ('struck')",
    "; ALTER TABLE canary DELETE WHERE 1",
    "; TRUNCATE TABLE canary",
    "; SYSTEM SHUTDOWN",
    " OR 1=1",
    " OR 1=1 --",
    " OR '1'='1",
    " AND sleep(3)",
    " UNION ALL SELECT * FROM canary",
    " UNION SELECT * FROM file('/etc/passwd')",
    ") UNION ALL SELECT * FROM canary --",
    "), (SELECT * FROM canary",
    " || (SELECT word FROM canary) || ",
    " INTO OUTFILE '/dev/null'",
    " FORMAT Null SETTINGS readonly=0",
    " SETTINGS readonly = 0",
    " ORDER BY (SELECT word FROM canary)",
    " LIMIT 0",
    " -- ",
    " /* ",
    " # ",
)
"""What follows a quotation mark that was closed too early."""

HEADS = ("", "'", '"', "`", "\\'", "')", "'))", '")', "`)", "*/", "\\", "0", "1", "now", "x", "team", "$$", "a'||", "\0'", "'\n")


def injections(count: int = 500) -> tuple[str, ...]:
    """Different strings, the shortest kinds first."""
    return tuple(dict.fromkeys([*MARKS, *islice(_sentences(), count - len(MARKS))]))


def _sentences() -> Iterator[str]:
    return (head + tail for head, tail in product(HEADS, TAILS))


SCRIPT = "<script>alert('tollbook')</script>"

NAMES: dict[str, str] = {
    "script": SCRIPT,
    "image": "<img src=http://198.51.100.7/x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "closing tag": "</style></script></title></textarea><svg onload=alert(1)>",
    "link": "[click](javascript:alert(1)) ![x](http://198.51.100.7/y.png) <http://198.51.100.7/z>",
    "streamlit": ":material/delete: :red[x] $x^2$ `code` **bold** # heading",
    "template": "{{ 7*7 }} {% raw %} ${7*7} #{7*7} %s %(x)s {0}",
    "rich": "[red]red[/red] [link=http://198.51.100.7]x[/link] [/] \\[x]",
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]8;;http://198.51.100.7\x1b\\x\x9b31m\x08\x08",
    "formula": '=HYPERLINK("http://198.51.100.7","x")',
    "plus formula": "+1+cmd|' /C calc'!A0",
    "at formula": "@SUM(1+9)*cmd|' /C calc'!A0",
    "minus formula": "-2+3+cmd|' /C calc'!A0",
    "tab formula": "\t=1+1",
    "full-width formula": "＝1+1",
    "csv": 'a",b\r\nc,"d',
    "prometheus": 'x"} 1\nevil_metric{a="b',
    "prototype": "__proto__",
    "constructor": "constructor",
    "sql": "'; DROP TABLE canary; --",
    "right to left": "\u202egnp.exe\u202c \u05d0\u05d1",
    "emoji": "🧾👩‍💻🇩🇪",
    "nul": "a\0b",
    "control": "a\x01\x02\x7fb",
    "lines": "one\ntwo\r\nthree\u2028four",
    "invisible": "\u200b\ufeff\u00ad",
    "combining": "Z" + "\u0335\u0321\u0327" * 40,
    "long": "l" * 10_000,
    "spaces": "   ",
    "path": "../../../etc/passwd",
    "url": "http://198.51.100.7/?q=x&y=<z>#'",
    "json": '{"a": "b"}',
    "backslash": "\\",
    "percent": "%00%0a%27",
}
"""Names that harm somebody who takes them for anything but text. 198.51.100.7 is of TEST-NET-2: nobody's address."""

STRANGERS_ADDRESS = "198.51.100.7"

HOSTILE_KEYS = (
    "__proto__", "constructor", "prototype", "toString", "a.b", "a", "a.b.c", "", " ", ".", "..",
    "'; DROP TABLE canary; --", SCRIPT, "=1+1", "k\0k",
    "\x1b[31m", "{x:Identifier}", "spans.attributes", "tenant", "le", 'a"} 1\nb{c="', "🧾", "\u202e", "k" * 10_000,
    "key", "value", "null",
)  # fmt: skip
"""Attribute keys."""
