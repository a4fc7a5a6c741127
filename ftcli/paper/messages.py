"""What the paper broker says when it refuses or warns (protocol 02 §4).

Inner codes are the broker's where they are known and start with ``SIM`` otherwise; the texts are our own.
"""

from ftcli.paper.codes import Severity
from ftcli.paper.records import Message

_TEXTS = {
    "000000": "Success",
    "001924": "A stop order is released by a qualifying trade or quote.",
    "354020": "Frequent same-day trading can restrict this account.",
    "MA5010": "Your limit is too distant from the latest trade.",
    "SIM101": "This purchase would use funds that are not settled yet.",
    "SIM102": "The market is closed: the order will wait for the next session.",
    "SIM103": "Part of this order has already executed.",
    "SIM201": "This confirmation number is no longer valid.",
    "SIM202": "The account is not approved for this option level.",
    "SIM203": "Buying power is not sufficient for this spread.",
    "SIM204": "The order can no longer be cancelled.",
    "SIM205": "The stop must sit below the market for a sell.",
    "SIM206": "The stop must sit above the market for a buy.",
    "SIM207": "The order differs from the one that was previewed under this number.",
    "SIM208": "This confirmation number has already been used.",
    "SIM209": "The previewed order was refused and cannot be placed.",
    "SIM210": "Buying power is not sufficient for this order.",
    "SIM211": "The account is not known or takes no orders.",
    "SIM212": "The symbol is not known.",
    "SIM213": "This security cannot be traded here.",
    "SIM214": "The account does not hold enough to sell.",
    "SIM215": "There is no short position of this size to cover.",
    "SIM216": "The account may not sell short.",
    "SIM217": "This security cannot be sold short.",
    "SIM218": "Shares must be located before this short sale.",
    "SIM219": "The account holds this security: sell it before you sell short.",
    "SIM220": "Cover the short position before you buy.",
    "SIM221": "The quantity is not valid.",
    "SIM222": "Fractional quantities are for market day orders only.",
    "SIM223": "The price is missing or not valid for this order type.",
    "SIM224": "The price is not a multiple of the minimum increment.",
    "SIM225": "This time in force is not available for this order.",
    "SIM226": "Extended-hours orders must be limit day orders for shares.",
    "SIM227": "Market-on-open orders are taken until 9:28 a.m. before the session.",
    "SIM228": "Market-on-close orders are taken until ten minutes before the close.",
    "SIM229": "The market is closed: this order cannot wait for the next session.",
    "SIM230": "The trade type does not fit the account.",
    "SIM231": "Sell-all orders must name the whole position.",
    "SIM232": "The selected tax lots do not match the position or the quantity.",
    "SIM233": "The action does not fit the security.",
    "SIM234": "The option contract does not exist or has expired.",
    "SIM235": "There is no option position of this size to close.",
    "SIM236": "These shares cover a written call.",
    "SIM237": "A package needs two to four different legs on one underlying.",
    "SIM238": "Legs must be whole multiples of one unit, with shares in hundreds.",
    "SIM239": "The net price does not fit the direction of the package.",
    "SIM240": "The order can no longer be changed.",
    "SIM241": "A changed order must keep its account, action and security.",
    "SIM242": "The order is not known.",
    "SIM244": "Packages cannot be changed: cancel and enter anew.",
    "SIM245": "A conditional group needs its own number of orders, all in one account.",
    "SIM246": "The confirmation numbers do not belong to one conditional order.",
    "SIM247": "Trailing orders are not available for this security.",
    "SIM248": "Another order in the group was refused.",
    "SIM249": "A position in the opposite direction is open: close it first.",
}


def _message(severity: Severity, code: str, detail: str) -> Message:
    text = _TEXTS[code]
    return Message(severity=severity, code=code, text=f"{text} {detail}" if detail else text)


def error(code: str, detail: str = "") -> Message:
    """A refusal; ``detail`` is a further sentence."""
    return _message(Severity.ERROR, code, detail)


def warning(code: str, detail: str = "") -> Message:
    """A warning; the order can still be placed."""
    return _message(Severity.WARNING, code, detail)


def info(code: str) -> Message:
    """A notice."""
    return _message(Severity.INFO, code, "")
