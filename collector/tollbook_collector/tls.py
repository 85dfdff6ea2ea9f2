"""Certificate and key that both doors show: checked before either is opened, read again when they are renewed.

The files are looked at with each connection, which costs a few microseconds of its handshake, and needs no signal and no restart.
"""

import logging
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import grpc
from tollbook_schema.environment import SettingsError

log = logging.getLogger("tollbook")


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

    def credentials(self) -> grpc.ServerCredentials:
        """What a gRPC server listens with."""
        renewal = Renewal(self)
        return grpc.dynamic_ssl_server_credentials(
            self._for_grpc(),
            lambda: self._for_grpc() if renewal.happened() else None,  # type: ignore[arg-type, return-value]  # None: as before
            require_client_authentication=self.client_ca is not None,
        )

    def _for_grpc(self) -> grpc.ServerCertificateConfiguration:
        authorities = self.client_ca.read_bytes() if self.client_ca else None
        return grpc.ssl_server_certificate_configuration([(self.key.read_bytes(), self.cert.read_bytes())], authorities)

    def renew(self, context: ssl.SSLContext) -> None:
        """Lets an HTTP server's context show what the files hold when a client comes."""
        renewal, newest = Renewal(self), context

        def look(connection: "ssl.SSLObject | ssl.SSLSocket", _name: str | None, _context: ssl.SSLContext) -> None:
            nonlocal newest
            if renewal.happened():
                newest = self._like(context)
            connection.context = newest

        context.sni_callback = look

    def _like(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """A context as the given one, with what the files hold now."""
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        fresh.load_cert_chain(self.cert, self.key, password=_no_password)
        if self.client_ca is not None:
            fresh.load_verify_locations(self.client_ca)
        fresh.options, fresh.verify_mode = context.options, context.verify_mode
        return fresh

    def stamps(self) -> tuple[tuple[int, int, int], ...]:
        """What changes when one of the files does; empty while one of them is not there."""
        try:
            found = [path.stat() for path in self._files()]
        except OSError:
            return ()
        return tuple((file.st_mtime_ns, file.st_ino, file.st_size) for file in found)

    def _files(self) -> list[Path]:
        return [self.cert, self.key, *([self.client_ca] if self.client_ca else [])]


class Renewal:
    """Whether the files have changed since they were read. While they are no pair, or gone, what was read holds."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._stamps = tls.stamps()
        self._lock = threading.Lock()

    def happened(self) -> bool:
        """Whether there is something newer that can be used; once for each time."""
        with self._lock:
            stamps = self._tls.stamps()
            if stamps == self._stamps:
                return False
            self._stamps = stamps
        try:
            self._tls.checked()
        except SettingsError as error:
            log.warning("the certificate in use stays: %s", error)
            return False
        log.info("the certificate %s has been renewed", self._tls.cert)
        return True


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
