"""Account numbers in logs: masked in every form the broker has, and nothing else with them."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import ft
from hypothesis import given
from hypothesis import strategies as st

from ftcli import redaction
from ftcli.redaction import mask_account, redact_log, remember_account

DIGITS = st.text(string.digits, min_size=6, max_size=6)
NUMBERS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(string.ascii_letters), st.from_regex(r"\A[0-9]{2}\Z"), DIGITS),
    st.builds("{}{}".format, st.from_regex(r"\A[0-9]{3}\Z"), DIGITS),
    st.builds(
        "{}{}-{}".format, st.sampled_from(string.ascii_letters), st.from_regex(r"\A[0-9]{2}\Z"), DIGITS
    ),
    st.builds("{}-{}".format, st.from_regex(r"\A[0-9]{3}\Z"), DIGITS),
)
BEFORE = st.sampled_from(
    ["", " ", "acct_", "/", "=", '"', "'", ",", "(", ": ", "%2F", "…", "_", "#", "positions."]
)
AFTER = st.sampled_from(["", " ", "_x", "/", "&a=1", '"', "'", ",", ")", ".", ": ", ". Next", "\n", "-"])


@pytest.fixture(scope="module", autouse=True)
def no_secrets_of_others() -> Iterator[None]:
    """Forgets the secrets that earlier tests left: a code such as 000000 is masked inside ``a00-000000`` too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_values", {})
        patch.setattr(redaction, "_passing", {})
        patch.setattr(redaction, "_longest_first", [])
        yield


@given(BEFORE, NUMBERS, AFTER)
def test_every_form_is_masked_wherever_it_stands(before: str, number: str, after: str) -> None:
    if before == "%2F":
        before = "%2F_"  # a percent escape ends in a letter or digit, and so may a longer word
    if before == "positions." and number[0].isdigit():
        before = "positions "
    told = redact_log(f"{before}{number}{after}")
    assert number[:-4] not in told
    assert number[-4:] in told


PLAIN = st.one_of(
    st.decimals(0, 10**7, places=2).map(str),  # prices, amounts
    st.decimals(0, 1, places=9).map(str),  # fractions of nine digits
    st.from_regex(r"\A2[0-9A-J]{2}[0-9B-DF-HJ-NP-TV-XZ]{5}\Z"),  # numbers of equity orders
    st.from_regex(r"\A[A-L][0-3][0-9][0-9B-DF-HJ-NP-TV-XZ]{5}\Z"),  # of option orders
    st.from_regex(r"\A[0-9]{5}[0-9B-DF-HJ-NP-TV-XZ]{5}\Z"),  # the back office's
    st.from_regex(r"\A[A-Z]{1,6}[0-9]{6}[CP][0-9]{8}\Z"),  # option symbols
    st.from_regex(r"\A-[A-Z]{1,5}[0-9]{6}[CP][0-9]{1,4}\Z"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.integers(1_000_000_000, 2_000_000_000).map(str),  # epoch seconds
    st.uuids().map(str),
)


@given(st.sampled_from(["order ", "price=", "symbol: ", '"conf_num": "', "at ", ""]), PLAIN)
def test_what_is_no_account_stays(before: str, text: str) -> None:
    assert redact_log(before + text) == before + text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GET /api/v1/accounts/77012/positions", "GET /api/v1/accounts/…12/positions"),
        ("acct_ids=77012,Z20000025&x=1", "acct_ids=…12,…0025&x=1"),
        ('{"account": "77012"}', '{"account": "…12"}'),
        ('{"acctNum":"77012"}', '{"acctNum":"…12"}'),
        ("account: 77012.", "account: …12."),
        ("no account: login needed", "no account: login needed"),
        ("/accounts/list", "/accounts/list"),
        ("account=10000.00", "account=10000.00"),
        ("accounts: 5", "accounts: 5"),
        ("z12345678 acct_Z12345678 Z12-345678", "…5678 acct_…5678 …5678"),
    ],
)
def test_what_goes_by_the_name_of_an_account(text: str, told: str) -> None:
    assert redact_log(text) == told


def test_little_is_left_of_a_short_one() -> None:
    assert [mask_account(number) for number in ("Z20000025", "77012", "7701", "12")] == [
        "…0025",
        "…12",
        "…",
        "…",
    ]


def test_those_of_the_login_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_accounts", {})
    assert redact_log("plan 77012") == "plan 77012"
    assert ft("accounts", "list", environ={"FT_ENV": "paper", "FT_DATA_DIR": str(tmp_path)}).status == 0
    assert redact_log("plan 77012, 77012.50, 177012, 0.77012") == "plan …12, 77012.50, 177012, 0.77012"


def test_what_is_no_number_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_accounts", {})
    for text in ("AAPL", "", "12", "PLAN"):
        remember_account(text)
    assert redact_log("AAPL 12 PLAN") == "AAPL 12 PLAN"
    for number in range(10_000, 10_500):
        remember_account(str(number))
    assert len(redaction._accounts) <= 200


def test_the_forms_are_those_of_the_paper_broker(tmp_path: Path) -> None:
    """Every account that the paper broker opens is masked in a log line."""
    from ftcli.paper import seed_plan

    numbers = [value for name, value in vars(seed_plan).items() if name.endswith("_ACCOUNT")]
    assert len(numbers) == 5
    for number in numbers:
        remember_account(number)
        assert not re.search(number, redact_log(f"looked at {number}, twice"))
