"""People who signed in: a cookie that says who they are, signed and expiring. Nothing is stored for it."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from itsdangerous import BadData, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode
from tollbook_schema import private
from tollbook_schema.keys import Keys, Principal, Scope

SIGNING_FILE = "session.secret"
MAX_COOKIE_CHARS = 4096


@dataclass(frozen=True)
class Session:
    """What the cookie of somebody who signed in holds."""

    session_id: str
    key_id: str
    """Of the key they signed in with, which is looked up at every request; empty where an identity provider knows them."""
    name: str
    tenant: str | None
    """Whose data they see; none for the operator's people."""


class Sessions:
    """Makes and reads sessions. Safe to use from several threads."""

    def __init__(self, secret: str, keys: Keys, lasting_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._signer = _Signer(clock, secret, salt="tollbook session")
        self._keys = keys
        self._clock = clock
        self._ended: dict[str, float] = {}
        self.lasting_seconds = lasting_seconds

    def of_key(self, principal: Principal) -> str:
        """The cookie of somebody who came with a key."""
        return self._signed(Session(secrets.token_hex(8), principal.key_id, principal.name, principal.tenant))

    def of_person(self, person: Principal) -> str:
        """The cookie of somebody whom an identity provider knows."""
        return self._signed(Session(secrets.token_hex(8), "", person.name, person.tenant))

    def principal(self, cookie: str) -> Principal | None:
        """Who comes with this cookie; none where it was forged, is over, was ended, or its key is."""
        session = self._read(cookie)
        if session is None or session.session_id in self._ended:
            return None
        if session.key_id:
            return self._keys.principal(session.key_id)
        return Principal(session.tenant, frozenset({Scope.READ}), "", session.name)

    def end(self, cookie: str) -> None:
        """Makes the cookie worthless, also to whoever copied it."""
        session, now = self._read(cookie), self._clock()
        if session is not None:
            self._ended = {key: until for key, until in self._ended.items() if until > now}
            self._ended[session.session_id] = now + self.lasting_seconds

    def _signed(self, session: Session) -> str:
        return self._signer.sign(base64_encode(json.dumps(asdict(session)))).decode()

    def _read(self, cookie: str) -> Session | None:
        if not cookie or len(cookie) > MAX_COOKIE_CHARS:
            return None
        try:
            return Session(**json.loads(base64_decode(self._signer.unsign(cookie, max_age=self.lasting_seconds))))
        except (BadData, ValueError, TypeError):
            return None


class _Signer(TimestampSigner):
    """Signs with the time of a clock that a test can set."""

    def __init__(self, clock: Callable[[], float], secret: str, salt: str) -> None:
        super().__init__(secret, salt=salt, digest_method=hashlib.sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


def kept_secret(data: Path) -> str:
    """The secret that signs cookies, made at the first start and kept where its owner alone can read it."""
    path = data / SIGNING_FILE
    if not path.exists():
        private.write(path, secrets.token_hex(32))
    return path.read_text(encoding="utf-8")
