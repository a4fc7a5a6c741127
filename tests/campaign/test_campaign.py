"""The fault campaign, bounded: nothing is placed twice, nothing is placed unseen, nothing found stays unknown."""

from pathlib import Path

from campaign import MUST_BE_ZERO, campaign


async def test_no_order_is_lost_or_repeated(tmp_path: Path) -> None:
    figures, text = await campaign(150, 20261125, tmp_path, seconds=40)
    print(text)
    assert not {name: figures[name] for name in MUST_BE_ZERO if figures[name]}, text
    assert figures["intents in the ledger"] >= 20, text
    assert figures["daemons killed"] >= 1, text
