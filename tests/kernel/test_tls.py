"""Whom the shop calls must be who they say they are."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lavka.kernel.outbound import NotReached, Request, exchange

HOST = "hooks.example"


def write_certificate(path: Path) -> None:
    """A certificate for `HOST` that nobody but its owner has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(pem))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "server.pem"
    write_certificate(path)
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def refusal(host: str, port: int) -> str:
    with pytest.raises(NotReached) as refused:
        status_of(host, port)
    return f"{refused.value.code}: {refused.value.reason}"


def status_of(host: str, port: int) -> int:
    request = Request(
        method="GET", url=f"https://{host}:{port}/", headers={}, limit=100, seconds=20
    )
    here = {"resolve": lambda *_: ["127.0.0.1"], "is_allowed": lambda _: True}
    return exchange(request, **here).status


def test_a_certificate_that_nobody_vouches_for_is_refused(port):
    assert refusal(HOST, port).startswith("unreachable: SSLCertVerificationError")


def test_a_certificate_of_another_host_is_refused(port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert refusal("other.example", port).startswith("unreachable: SSLCertVerificationError")


def test_control_a_certificate_of_the_host_is_let_through(port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert status_of(HOST, port) == 204
