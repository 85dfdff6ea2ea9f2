"""Certificate and key that both doors show, checked before either is opened."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from tollbook_collector.errors import SettingsError


@dataclass(frozen=True)
class Tls:
    """Files in PEM."""

    cert: Path
    """The certificate, and those between it and its root."""
    key: Path
    """Its private key, without a password."""
    client_ca: Path | None = None
    """Who signs the certificates that clients must show; none asks them for none."""

    def checked(self) -> "Tls":
        """Itself, if the files are there and belong together.

        Raises:
            SettingsError: they do not; the message names the file.
        """
        for path in self._files():
            _readable(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key, password=_no_password)
        except ssl.SSLError as error:
            raise SettingsError(f"the certificate {self.cert} and the key {self.key} are no pair: {_reason(error)}") from error
        if self.client_ca is not None:
            _load_authorities(context, self.client_ca)
        return self

    def grpc(self) -> grpc.ServerCredentials:
        """What a gRPC server listens with."""
        authorities = self.client_ca.read_bytes() if self.client_ca else None
        pair = (self.key.read_bytes(), self.cert.read_bytes())
        return grpc.ssl_server_credentials([pair], authorities, require_client_auth=authorities is not None)

    def _files(self) -> list[Path]:
        return [self.cert, self.key, *([self.client_ca] if self.client_ca else [])]


def _readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read {path} for TLS: {error.strerror}") from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise SettingsError(f"{path} holds no certificates of authorities for clients: {_reason(error)}") from error


def _no_password() -> bytes:
    raise SettingsError("the private key for TLS is encrypted; give one without a password, readable by its owner alone")


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM").lower().replace("_", " ")
