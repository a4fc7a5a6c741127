"""The field ids of MDDS, the broker's market data stream: all 296 that are known (protocol 05 §3).

Every id and every value is text on the wire. ``type`` says what a value parses to; ``provenance`` how well
the name is supported (C seen in captures, D from static analysis, I inferred, X refuted). Ids that are not
here arrive all the same and are kept as ``field_<id>``.
"""

from typing import Final

import msgspec


class MddsField(msgspec.Struct, frozen=True):
    """One field id.

    Attributes:
        id: Decimal id, as it stands on the wire.
        name: Name of protocol 05 §3.3.
        category: ``quote``, ``volume``, ``greek``, ``l2`` ...
        type: ``decimal``, ``integer``, ``date``, ``time``, ``code`` or ``string``.
        provenance: How the name is supported.
    """

    id: str
    name: str
    category: str
    type: str
    provenance: str


_ROWS = """
0 item_status system string C
1 security_name identity string C
6 symbol identity string C
7 cusip identity string C-id/I-name
10 symbol_root identity string C
11 symbol_display identity string C
12 net_change quote decimal C
13 net_change_pct quote decimal C
14 week52_high fundamental decimal C
15 week52_high_date fundamental date C
16 week52_low fundamental decimal C
17 week52_low_date fundamental date C
18 ask_price quote decimal C+D
19 ask_size quote integer C+D
20 bid_price quote decimal C+D
21 bid_size quote integer C+D
22 num_trades volume integer C-id/I-name
23 block_trade_cum_volume volume integer C+D
24 trade_date quote date C
25 currency identity code C
26 high_price quote decimal C+D
27 low_price quote decimal C+D
28 trade_size ts_regular integer D
29 last_price quote decimal C+D
31 open_price quote decimal C+D
32 prev_close quote decimal C+D
33 cum_volume volume integer C+D
34 dividend_yield fundamental decimal D
43 trade_exchange ts_regular code D
44 trade_time ts_regular time D
45 trade_conditions ts_regular string D
46 avg_volume_10day volume integer D
57 market_cap fundamental decimal C+D
58 pe_ratio fundamental decimal D
60 mid_price option decimal C-id/D
80 full_description identity string C
100 bid_exchange quote code C+D
112 last_trade_date quote date C-id/I-name
113 after_hours_price extended decimal C-id/I-name
118 industry fundamental string C-id/I-name
119 sector_group fundamental string C-id/I-name
120 option_description option string C
124 close quote decimal C+D
125 unverified_125 unverified string D-placeholder
127 sector fundamental string C
128 security_type identity code C
129 shares_outstanding fundamental integer C
166 all_session_volume volume integer C-id/I-name
169 data_quality system code C
177 option_high option decimal C-id/I-name
178 option_high_volume option string C-id/I-name
179 option_high_date option date C-id/I-name
180 option_low_date option date C-id/I-name
181 adjusted_indicator option code C-id/I-name
182 contract_size option integer C
183 open_interest option integer C-id/I-name
184 strike_price option decimal C
185 underlying_symbol option string C
187 delta greek decimal C+D
188 gamma greek decimal C+D
189 vega greek decimal C+D
190 theta greek decimal C+D
191 rho greek decimal C+D
192 intrinsic_value greek decimal D
193 time_value greek decimal C+D
194 short_interest_pct fundamental decimal C-id/I-name
195 iv_ask greek decimal C+D
196 iv_mid greek decimal C+D
197 call_put option code C
198 shares_per_contract option integer C-id/I-name
199 expiration_date option date C
252 option_last_trade_date option date C-id/I-name
277 prev_ask_price extended decimal C-id/D
278 prev_bid_price extended decimal C-id/D
289 display_symbol identity string C-id/I-name
290 iv_bid greek decimal C+D
292 expiration_date_alt option date C-id/I-name
302 contract_root option string C
316 last_price_time ts_regular time D
356 bar_close bar decimal D
357 bar_end_time bar time D
358 bar_high bar decimal D
359 bar_low bar decimal D
360 bar_open bar decimal D
361 bar_start_time bar time D
362 bar_volume bar integer D
882 trade_exchange_mic ts_regular code D
1159 contested_1159 ts_irregular string C-id/X-name
1160 contested_1160 ts_irregular string C-id/X-name
1161 contested_1161 ts_irregular string C-id/X-name
1162 irr_last_price ts_irregular decimal D
1163 contested_1163 ts_irregular string C-id/X-name
1164 irr_last_price_time ts_irregular time D
1165 irr_trade_size ts_irregular integer D
1172 bar_trade_count bar integer D
1176 irr_trade_exchange_mic ts_irregular code D
"""

DEPTH: Final = 25
"""Levels of each side of the L2 book."""

# attribute, first id, type, and the first slots whose values were seen in a capture (protocol 05 §3.4)
_BOOK = (
    ("bid_price", 462, "decimal", 6),
    ("bid_exchange", 487, "code", 3),
    ("bid_size", 512, "integer", 3),
    ("ask_price", 537, "decimal", 2),
    ("ask_exchange", 562, "code", 2),
    ("ask_size", 587, "integer", 2),
    ("bid_time", 891, "time", 2),
    ("ask_time", 916, "time", 2),
)


def _table() -> dict[str, MddsField]:
    rows = [MddsField(*line.split()) for line in _ROWS.split("\n") if line]
    for attribute, base, kind, seen in _BOOK:
        rows += [
            MddsField(str(base + slot), f"{attribute}_{slot}", "l2", kind, "C" if slot < seen else "C-range")
            for slot in range(DEPTH)
        ]
    return {row.id: row for row in sorted(rows, key=lambda row: int(row.id))}


FIELDS: Final[dict[str, MddsField]] = _table()
"""Every known field by id, in the order of the ids."""

IDS: Final[dict[str, str]] = {row.name: row.id for row in FIELDS.values()}
"""Id by name."""

BOOK_SLOTS: Final[dict[str, tuple[str, str, int]]] = {
    str(base + slot): (attribute[:3], attribute[4:], slot)
    for attribute, base, _, _ in _BOOK
    for slot in range(DEPTH)
}
"""L2 id → (``bid`` or ``ask``, ``price``, ``size``, ``exchange`` or ``time``, slot from 0)."""


def _ids(text: str) -> frozenset[str]:
    return frozenset(text.split())


BOOK_IDS: Final = frozenset(BOOK_SLOTS)
BAR_IDS: Final = _ids("356 357 358 359 360 361 362 1172")
GREEK_IDS: Final = _ids("187 188 189 190 191 192 193 195 196 290")
TOP_OF_BOOK_IDS: Final = _ids("18 19 20 21 100")
REGULAR_PRINT_IDS: Final = _ids("28 29 316 882")
IRREGULAR_PRINT_IDS: Final = _ids("1162 1164 1165 1176")
STATIC_IDS: Final = _ids("1 6 7 10 11 25 80 118 119 120 127 128 129 181 182 184 185 197 198 199 289 292 302")
"""Sent once with the snapshot."""


def field_name(field_id: str) -> str:
    """The name of an id, ``field_<id>`` where it is not known."""
    row = FIELDS.get(field_id)
    return f"field_{field_id}" if row is None else row.name


def book_id(side: str, attribute: str, slot: int) -> str:
    """The id of one attribute of one L2 level.

    Args:
        side: ``bid`` or ``ask``.
        attribute: ``price``, ``size``, ``exchange`` or ``time``.
        slot: Level from 0, the best.
    """
    return str(_BOOK_BASE[side, attribute] + slot)


_BOOK_BASE = {(attribute[:3], attribute[4:]): base for attribute, base, _, _ in _BOOK}
