import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from lavka.cli.ports import LOOPBACK, free_port
from tests.containers.front import Backend, Front

SPOOFED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.9;host=evil.example",
}


def from_address(address: str, url: str) -> httpx.Client:
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address))


def test_the_backend_sees_the_clients_own_address(front: Front) -> None:
    with from_address("127.0.0.7", front.url) as client:
        told = client.get("/api/v1/products/").json()

    assert (told["client"], told["scheme"]) == ("127.0.0.7", "http")
    assert told["headers"]["x-forwarded-for"] == "127.0.0.7"


def test_a_client_cannot_claim_an_address_a_scheme_or_a_host_through_nginx(front: Front) -> None:
    with from_address("127.0.0.7", front.url) as client:
        told = client.get("/api/v1/products/", headers=SPOOFED).json()

    assert (told["client"], told["scheme"]) == ("127.0.0.7", "http")
    assert told["headers"]["host"] == front.url.removeprefix("http://")
    assert told["headers"]["x-real-ip"] == "127.0.0.7"
    assert "203.0.113.9" not in json.dumps(told)
    assert "evil.example" not in json.dumps(told)


def test_a_client_cannot_claim_an_address_without_nginx(echo: Backend) -> None:
    with from_address("127.0.0.7", echo.url) as client:
        told = client.get("/api/v1/products/", headers=SPOOFED).json()

    assert (told["client"], told["scheme"]) == ("127.0.0.7", "http")


def test_a_proxy_in_front_is_believed_when_it_is_named(echo: Backend, tmp_path: Path) -> None:
    front = Front(tmp_path, echo.port, TRUSTED_PROXY="127.0.0.7/32")
    try:
        with from_address("127.0.0.7", front.url) as proxy:
            believed = proxy.get("/", headers=SPOOFED).json()
        with from_address("127.0.0.8", front.url) as stranger:
            doubted = stranger.get("/", headers=SPOOFED).json()
    finally:
        front.process.stop()

    assert (believed["client"], believed["scheme"]) == ("203.0.113.9", "https")
    assert (doubted["client"], doubted["scheme"]) == ("127.0.0.8", "http")


def test_a_sane_request_id_goes_on_and_any_other_is_replaced(client: httpx.Client) -> None:
    sane = client.get("/", headers={"X-Request-ID": "order-4711.a"}).json()
    insane = client.get("/", headers={"X-Request-ID": 'x"}, {"'}).json()

    assert sane["headers"]["x-request-id"] == "order-4711.a"
    assert len(insane["headers"]["x-request-id"]) == 32


def test_a_large_body_is_a_problem_in_the_clients_language(
    client: httpx.Client,
) -> None:
    response = client.post(
        "/api/v1/auth/token/",
        content=b"a" * (256 * 1024 + 1),
        headers={"Accept-Language": "ru-RU,ru;q=0.9", "X-Request-ID": "big-body-1"},
    )

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "big-body-1"
    assert response.json() == {
        "type": "/api/docs/errors/#too_large",
        "title": "Слишком большое тело запроса",
        "status": 413,
        "detail": "Тело запроса больше, чем принимает этот адрес.",
        "code": "too_large",
        "request_id": "big-body-1",
    }


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/carts/", 256 * 1024, 200),
        ("/api/v1/manage/imports/", 12 * 1024 * 1024, 200),
        ("/api/v1/manage/imports/", 12 * 1024 * 1024 + 1, 413),
        ("/admin/catalog/product/add/", 2 * 1024 * 1024, 200),
        ("/anything", 256 * 1024 + 1, 413),
    ],
)
def test_each_path_has_its_own_limit(
    client: httpx.Client, path: str, size: int, status: int
) -> None:
    response = client.post(path, content=b"a" * size)

    assert response.status_code == status
    assert status != 200 or response.json()["size"] == size


def test_static_files_come_from_disk_compressed_and_typed(front: Front) -> None:
    response = httpx.get(f"{front.url}/static/admin/css/base.css")

    assert response.content == (front.static / "admin/css/base.css").read_bytes()
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"].startswith("public, max-age=3600")
    assert "x-frame-options" not in response.headers


def test_media_is_kept_for_good_and_never_run(client: httpx.Client) -> None:
    found, missing = client.get("/media/kettle.png"), client.get("/media/pot.png")

    assert found.content == b"\x89PNG"
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert found.headers["content-security-policy"].endswith("sandbox")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert missing.status_code == 404
    assert "cache-control" not in missing.headers


@pytest.mark.parametrize("path", ["/media/../run/nginx.conf", "/static/..%2frun/nginx.conf"])
def test_nothing_beside_the_files_is_served(front: Front, path: str) -> None:
    request = httpx.Request("GET", front.url)
    request.url = request.url.copy_with(raw_path=path.encode())
    with httpx.Client() as client:
        response = client.send(request)

    assert b"worker_processes" not in response.content


def policy_of(response: httpx.Response) -> set[str]:
    return {*response.headers["content-security-policy"].split("; ")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/static/admin/css/base.css", 200),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/media/kettle.png", 200),
        ("GET", "/media/pot.png", 404),
        ("GET", "/metrics", 404),
        ("POST", "/api/v1/carts/", 413),
        ("GET", "/api/v1/products/?q=" + "a" * 9000, 431),
    ],
)
def test_what_nginx_answers_is_neither_sniffed_nor_framed(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    content = b"a" * (256 * 1024 + 1) if method == "POST" else None
    response = client.request(method, path, content=content)

    assert response.status_code == status
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert response.headers.get_list("referrer-policy") == ["same-origin"]
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= policy_of(
        response
    )
    assert "strict-transport-security" not in response.headers


def test_no_folder_is_listed(client: httpx.Client) -> None:
    answers = {path: client.get(path) for path in ("/static/", "/media/", "/static/admin/css/")}

    assert {path: each.status_code for path, each in answers.items()} == dict.fromkeys(answers, 403)


def test_trace_is_not_answered(client: httpx.Client) -> None:
    for path in ("/", "/api/v1/products/", "/static/admin/css/base.css", "/admin/"):
        response = client.request("TRACE", path, headers={"X-Secret": "told-to-nobody"})

        assert response.status_code == 405
        assert "told-to-nobody" not in response.text


@pytest.mark.parametrize(("https_only", "is_pinned"), [("1", True), ("0", False)])
def test_https_is_pinned_where_the_shop_speaks_nothing_else(
    echo: Backend, tmp_path: Path, https_only: str, is_pinned: bool
) -> None:
    front = Front(tmp_path, echo.port, TRUSTED_PROXY=f"{LOOPBACK}/32", LAVKA_HTTPS=https_only)
    try:
        told = {
            scheme: httpx.get(
                f"{front.url}/media/nothing.png", headers={"X-Forwarded-Proto": scheme}
            ).headers.get("strict-transport-security")
            for scheme in ("https", "http")
        }
    finally:
        front.process.stop()

    pinned = "max-age=31536000; includeSubDomains; preload"
    assert told == {"https": pinned if is_pinned else None, "http": None}


def sent_raw(port: int, request: bytes) -> bytes:
    """What comes back until the other side has no more to say."""
    with socket.create_connection((LOOPBACK, port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        # It may be closed before all that was sent is read.
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    return answer


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
AMBIGUOUS = {
    "both lengths": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "odd coding": LENGTH + b"Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN,
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "space before colon": LENGTH.replace(b":", b" :") + b"\r\n" + HIDDEN,
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_request_of_unclear_length_hides_no_other(echo: Backend, front: Front, name: str) -> None:
    """Neither nginx nor Gunicorn alone answers what stands in a body as a request of its own."""
    request = b"POST /api/v1/carts/ HTTP/1.1\r\nHost: localhost\r\n" + AMBIGUOUS[name]

    for port in (front.port, echo.port):
        answer = sent_raw(port, request)

        assert answer.count(b"HTTP/1.1 ") <= 1
        assert b" 200 " not in answer.split(b"\r\n")[0]


def test_control_two_requests_in_a_row_are_both_answered(echo: Backend, front: Front) -> None:
    request = b"POST /api/v1/carts/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"

    for port in (front.port, echo.port):
        assert sent_raw(port, request + HIDDEN).count(b"HTTP/1.1 200") == 2


def test_answers_are_compressed_and_their_headers_come_once(client: httpx.Client) -> None:
    response = client.get("/api/v1/products/")

    assert response.headers["content-encoding"] == "gzip"
    assert response.headers.get_list("x-frame-options") == ["DENY"]
    assert response.headers.get_list("server") == ["nginx"]


def test_the_applications_own_refusals_pass_unchanged(client: httpx.Client) -> None:
    response = client.get("/api/v1/busy/")

    assert response.status_code == 503
    assert "client" in response.json()


def test_a_backend_that_is_away_is_told_and_found_when_it_comes(tmp_path: Path) -> None:
    port = free_port()
    front = Front(tmp_path, port)
    backend = None
    try:
        problem = httpx.post(f"{front.url}/api/v1/carts/", json={})
        page = httpx.get(front.url, headers={"Accept-Language": "ru"})
        backend = Backend(tmp_path, "tests.containers.echo:application", port)
        found = httpx.get(f"{front.url}/api/v1/products/")
    finally:
        front.process.stop()
        if backend is not None:
            backend.process.stop()

    assert problem.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.headers["retry-after"] == "2"
    assert problem.json()["code"] == "unavailable"
    assert problem.json()["request_id"] == problem.headers["x-request-id"]
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "Временно недоступно" in page.text
    assert found.status_code == 200


def test_nginx_ends_at_once_when_its_configuration_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nope"):
        Front(tmp_path, free_port(), TRUSTED_PROXY="nope")

    assert not os.path.exists(tmp_path / "run" / "nginx.pid")


def test_the_shop_itself_answers_behind_nginx(front: Front, tmp_path: Path) -> None:
    shop = Backend(tmp_path, "config.asgi:application")
    own = Front(tmp_path, shop.port)
    try:
        alive = httpx.get(f"{own.url}/healthz")
        docs = httpx.get(f"{own.url}/api/docs/")
    finally:
        own.process.stop()
        shop.process.stop()

    assert alive.json() == {"status": "ok"}
    assert docs.status_code == 200
    assert alive.headers.get_list("x-content-type-options") == ["nosniff"]


def test_no_key_of_a_customer_is_logged(echo: Backend, tmp_path: Path) -> None:
    """Neither that of a guest's cart, which stands in the path, nor that of an order."""
    cart, order = str(uuid.uuid4()), "01a20adc-bec6-7edd-9eea-85eaf4679678"
    front = Front(tmp_path, echo.port)
    try:
        httpx.get(f"{front.url}/api/v1/carts/{cart}/lines/")
        httpx.get(f"{front.url}/api/v1/orders/{order}/?key=secret-of-a-guest")
    finally:
        front.process.stop()

    logged = front.process.output.read_text()
    assert '"uri":"/api/v1/carts/***/lines/"' in logged
    assert f'"uri":"/api/v1/orders/{order}/"' in logged
    assert cart not in logged
    assert "secret-of-a-guest" not in logged


# So slow that no bucket fills while a test runs, however slow that is.
SLOWLY = {"PAGES_RATE": "1r/m", "WRITES_RATE": "1r/m", "AUTH_RATE": "1r/m"}


@pytest.fixture(scope="module")
def limited(echo: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx with the bursts that are shipped."""
    nginx = Front(tmp_path_factory.mktemp("limited"), echo.port, **SLOWLY)
    yield nginx
    nginx.process.stop()


def until_refused(client: httpx.Client, method: str, path: str, most: int) -> list[httpx.Response]:
    """Ask up to `most` times, and no more once it is refused."""
    answers: list[httpx.Response] = []
    while len(answers) < most and (not answers or answers[-1].status_code == 200):
        answers.append(client.request(method, path))
    return answers


@pytest.mark.parametrize(
    ("address", "method", "path", "allowed"),
    [
        ("127.0.1.1", "POST", "/api/v1/auth/token/", 61),
        ("127.0.1.2", "DELETE", "/api/v1/auth/anything/", 61),
        ("127.0.1.3", "POST", "/admin/login/", 61),
        ("127.0.1.4", "POST", "/api/v1/carts/", 201),
        ("127.0.1.5", "DELETE", "/api/v1/manage/brands/1/", 201),
        ("127.0.1.6", "PUT", "/api/v1/products/1/reviews/", 201),
        ("127.0.1.7", "GET", "/api/v1/products/", 1001),
    ],
)
def test_an_address_has_its_limits_and_no_other_pays_for_them(
    limited: Front, address: str, method: str, path: str, allowed: int
) -> None:
    with from_address(address, limited.url) as client:
        answers = until_refused(client, method, path, allowed + 50)
    with from_address("127.0.2.1", limited.url) as client:
        other = client.get(path)

    assert len(answers) > allowed
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "2"
    assert other.status_code == 200


def test_too_many_requests_are_a_problem_in_the_clients_language(limited: Front) -> None:
    headers = {"Accept-Language": "ru", "X-Request-ID": "too-many-1"}
    with from_address("127.0.3.1", limited.url) as client:
        client.headers.update(headers)
        answer = until_refused(client, "POST", "/api/v1/auth/token/", 111)[-1]
        page = until_refused(client, "POST", "/admin/login/", 111)[-1]

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/api/docs/errors/#too_many_requests",
        "title": "Слишком много запросов",
        "status": 429,
        "detail": "Вы отправили слишком много запросов. Пожалуйста, подождите немного.",
        "code": "too_many_requests",
        "request_id": "too-many-1",
    }
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Слишком много запросов" in page.text


def test_limits_can_be_lifted(echo: Backend, tmp_path: Path) -> None:
    front = Front(tmp_path, echo.port, LAVKA_THROTTLES="off", **SLOWLY)
    try:
        with from_address("127.0.4.1", front.url) as client:
            answers = until_refused(client, "POST", "/api/v1/auth/token/", 70)
    finally:
        front.process.stop()

    assert len(answers) == 70


def test_one_address_has_so_many_requests_at_once(echo: Backend, tmp_path: Path) -> None:
    front = Front(tmp_path, echo.port, MAX_CONNECTIONS="3")
    unfinished = (
        b"POST /api/v1/carts/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    try:
        with ExitStack() as held, from_address("127.0.5.1", front.url) as client:
            for _ in range(3):
                connection = socket.create_connection(
                    (LOOPBACK, front.port), source_address=("127.0.5.1", 0)
                )
                held.enter_context(connection).sendall(unfinished)
                # Asked for its body, it is counted.
                assert connection.recv(1024).startswith(b"HTTP/1.1 100")
            refused = client.get("/api/v1/products/")
            with from_address("127.0.5.2", front.url) as another:
                other = another.get("/api/v1/products/")
    finally:
        front.process.stop()

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/products/?q=" + "a" * 9000, {}),
        ("/api/v1/products/", {"If-None-Match": '"a",' * 3000}),
    ],
)
def test_a_head_that_is_too_long_is_a_problem(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    response = client.get(path, headers=headers)

    assert (response.status_code, response.json()["code"]) == (431, "head_too_large")
