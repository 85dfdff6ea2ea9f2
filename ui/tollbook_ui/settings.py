"""What can be set for the server and the command line, read from TOLLBOOK_* in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tollbook_schema import environment as variables
from tollbook_schema.environment import SettingsError
from tollbook_schema.retention import Retention

from tollbook_ui.locate import default_data

PREFIX = "TOLLBOOK_"
COLLECTOR_PREFIX = "TOLLBOOK_COLLECTOR_"
"""Settings of the collector, which checks them itself."""

SDK_SETTINGS = frozenset({
    "TOLLBOOK_ACCELERATORS", "TOLLBOOK_BUFFER", "TOLLBOOK_DIGEST_KEY", "TOLLBOOK_FILES", "TOLLBOOK_HOST_TYPE",
    "TOLLBOOK_INSTRUMENT", "TOLLBOOK_KEEP", "TOLLBOOK_OWN_HOSTS", "TOLLBOOK_STRICT",
})  # fmt: skip
"""Settings that only the SDK reads, and that may well stand in the same environment."""

BESIDE = SDK_SETTINGS | {COLLECTOR_PREFIX}

AUTH = ("none", "required")
SECRETS = ("TOLLBOOK_CLICKHOUSE_URL", "TOLLBOOK_OIDC_CLIENT_SECRET", "TOLLBOOK_SESSION_SECRET")
"""Settings that may stand in a file of their own, as containers are given secrets."""


@dataclass(frozen=True)
class Settings:
    """Each field is set by TOLLBOOK_ and its name in capitals."""

    data: str = ""
    """Folder of the spool and the embedded database; the platform's user data folder if empty."""

    clickhouse_url: str = field(default="", repr=False)
    """A ClickHouse server to use instead of the embedded database: http://user:password@host:8123/database. Nodes of a cluster
    with commas between: http://user:password@host:8123,host:8123/database."""

    clickhouse_cluster: str = ""
    """Name of the cluster in system.clusters of those servers; empty for a single server."""

    host: str = "127.0.0.1"
    """Address that OTLP/HTTP, API and dashboard listen on. Beyond loopback it starts only with auth."""

    port: int = 4318
    """Port of OTLP/HTTP, API and dashboard: OpenTelemetry's own for OTLP/HTTP."""

    settle_seconds: int = 30
    """Pause between settlements while data comes in; 0 settles only when asked."""

    retention_days: int = 0
    """Days from arrival that spans, metrics and logs are kept; 0 keeps them for ever. What was settled from them stays."""

    content_retention_days: int = 0
    """Days that prompts, completions and other content are kept; 0, or more than that, keeps them as long as their spans."""

    alert_webhook: str = field(default="", repr=False)
    """Address that is told of budgets that break, as JSON with a `text`; empty tells the log alone."""

    auth: str = "none"
    """required asks everybody for a key or a sign-in, on every route; none asks nobody, and listens on loopback only."""

    tls_cert: str = ""
    """File of the certificate, in PEM, for OTLP over HTTP and gRPC, API and dashboard; empty for none."""

    tls_key: str = ""
    """File of the certificate's private key, in PEM, without a password."""

    tls_client_ca: str = ""
    """File of the authorities whose certificates clients must show, in PEM; empty asks for none."""

    public_url: str = ""
    """Address under which people reach the dashboard, if a proxy stands in front: https://tollbook.example.com."""

    session_hours: int = 12
    """How long somebody who signed in stays so."""

    session_secret: str = field(default="", repr=False)
    """Signs the cookies of people who signed in; made and kept in the data folder if empty. Servers behind one name share it."""

    oidc_issuer: str = ""
    """Identity provider that people sign in with, by OpenID Connect: https://id.example.com. Empty for keys alone."""

    oidc_client_id: str = ""
    """Name of Tollbook at the identity provider."""

    oidc_client_secret: str = field(default="", repr=False)
    """Its password there; empty for a public client."""

    oidc_tenant_claim: str = "tenant"
    """Claim of the ID token that names the tenant whose data somebody sees. Without it they see nothing."""

    oidc_domains: str = ""
    """Domains of verified e-mail addresses that may sign in, with commas; empty for all that the provider knows."""

    oidc_groups: str = ""
    """Groups whose members may sign in, with commas; empty for all."""

    oidc_groups_claim: str = "groups"
    """Claim of the ID token that lists somebody's groups."""

    oidc_operators: str = ""
    """Groups whose members see all tenants, with commas; they need no tenant claim."""

    @property
    def retention(self) -> Retention:
        """How long facts are kept."""
        return Retention(self.retention_days, self.content_retention_days)

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return Path(self.data).expanduser() if self.data else default_data()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Settings from `environment`, the process's own by default.

        A secret may stand in a file instead, which the variable's name with _FILE names.

        Raises:
            SettingsError: a variable names no setting, or holds what cannot be.
        """
        given = _with_files(os.environ if environment is None else environment)
        return cls(**variables.read(cls, PREFIX, given, least={"session_hours": 1}, beside=BESIDE))._checked()

    def _checked(self) -> "Settings":
        if self.auth not in AUTH:
            raise SettingsError(f"TOLLBOOK_AUTH is one of {', '.join(AUTH)}, not {self.auth!r}")
        if bool(self.tls_cert) != bool(self.tls_key) or (self.tls_client_ca and not self.tls_cert):
            raise SettingsError("TLS needs both TOLLBOOK_TLS_CERT and TOLLBOOK_TLS_KEY")
        if self.oidc_issuer and not self.oidc_client_id:
            raise SettingsError("TOLLBOOK_OIDC_ISSUER needs TOLLBOOK_OIDC_CLIENT_ID")
        if self.oidc_issuer and self.auth != "required":
            raise SettingsError("TOLLBOOK_OIDC_ISSUER needs TOLLBOOK_AUTH=required: without it nobody is asked to sign in")
        if self.session_secret and len(self.session_secret) < 32:
            raise SettingsError("TOLLBOOK_SESSION_SECRET is too short to be one: give 32 characters or more, at random")
        if self.alert_webhook and not self.alert_webhook.startswith(("https://", "http://")):
            raise SettingsError("TOLLBOOK_ALERT_WEBHOOK is an address that begins with https:// or http://")
        if self.session_hours > 24 * 30:
            raise SettingsError(f"TOLLBOOK_SESSION_HOURS is 1 to 720, not {self.session_hours}")
        return self


def _with_files(given: Mapping[str, str]) -> dict[str, str]:
    found = dict(given)
    for variable in SECRETS:
        path = found.pop(f"{variable}_FILE", "")
        if path:
            try:
                found[variable] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"cannot read {variable}_FILE {path}: {error.strerror}") from error
    return found
