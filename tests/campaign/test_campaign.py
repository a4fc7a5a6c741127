"""The fault campaign, bounded: nothing is placed twice, nothing is placed unseen, nothing found stays unknown."""

from pathlib import Path

from campaign import campaign, faults


async def test_no_order_is_lost_or_repeated(tmp_path: Path) -> None:
    figures, text = await campaign(150, 20261125, tmp_path, seconds=45)
    print(text)
    assert not faults(figures), text
    assert figures["intents in the ledger"] >= figures["intents"] / 2, text
