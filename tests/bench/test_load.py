import pytest

from bench import load
from bench.exchange import Request
from lavka.cli.trouble import Trouble

OUTPUT = """\
Running 4s test @ http://127.0.0.1:23790
  1 threads and 100 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    22.51ms   12.30ms 210.00ms   88.10%
    Req/Sec     4.51k   410.00     5.20k    75.00%
  18042 requests in 4.01s, 190.00MB read

RESULT {"requests": 18042, "seconds": 4.010000, "p50_ms": 20.100, "p95_ms": 41.300, \
"p99_ms": 70.900, "status": 3, "connect": 1, "read": 2, "write": 0, "timeout": 4}
"""


def test_what_wrk_saw_is_read_from_the_line_of_the_script():
    outcome = load.parse(OUTPUT)

    assert outcome == load.Outcome(
        requests=18042, seconds=4.01, p50_ms=20.1, p95_ms=41.3, p99_ms=70.9, errors=10
    )


def test_an_answer_that_is_an_error_is_no_request_per_second():
    outcome = load.parse(OUTPUT)

    assert outcome.rps == 18032 / 4.01


def test_output_without_the_line_is_refused():
    with pytest.raises(Trouble, match="nothing that can be read: unable to connect"):
        load.parse("unable to connect to 127.0.0.1:23790 Connection refused\n")


def test_without_wrk_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Trouble, match="apt-get install wrk"):
        load.require_wrk()


def test_a_request_is_one_line_of_four_fields(tmp_path):
    body = {"title": "two\nlines\tand a tab"}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer t"}
    requests = [
        Request(path="/api/v1/products/?q=a"),
        Request(method="POST", path="/r/", headers=headers, body=body),
    ]

    load.write_requests(requests, tmp_path / "requests.tsv")

    assert (tmp_path / "requests.tsv").read_text().splitlines() == [
        "GET\t/api/v1/products/?q=a\t\t",
        "POST\t/r/\tContent-Type: application/json\x1fAuthorization: Bearer t\t"
        '{"title": "two\\nlines\\tand a tab"}',
    ]
