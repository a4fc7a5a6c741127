"""Watchlists (protocol 04 §1)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ftcli.errors import ValidationFailed
from ftcli.models.field import PER_SHARE, SHARES, Document, Model, Request, at


class WatchedSecurity(Model):
    """A security on a watchlist."""

    symbol: Annotated[str, at("symbol", "Symbol; options in the broker's dashed form.", column="Symbol")] = ""
    rank: Annotated[
        int | None, at("rankId", "Its place, counted from 1; there may be gaps.", column="Place")
    ] = None
    watch_closely: Annotated[
        bool, at("watchCloselyInd", "Whether it is marked to be watched closely.", column="Closely")
    ] = False
    has_news: Annotated[bool, at("newsStateInd", "Whether there is news about it.", column="News")] = False
    cusip: Annotated[str | None, at("cusip", "CUSIP; usually the broker leaves it out.")] = None
    security_type: Annotated[
        str | None, at("securityType", "The broker's kind of security; usually left out.")
    ] = None
    security_id: Annotated[str | None, at("securityId", "The broker's id of the row.")] = None


class Watchlist(Model):
    """A watchlist."""

    name: Annotated[str, at("watchListName", "Its name.", column="Name")] = ""
    is_default: Annotated[bool, at("isDefault", "Whether it is the default list.", column="Default")] = False
    symbols: Annotated[list[str], at(None, "Its symbols, in order.", column="Symbols")] = []
    count: Annotated[int | None, at(None, "Number of securities; null where they were not asked for.")] = None
    watchlist_id: Annotated[str | None, at("watchListId", "Its id.", column="Id")] = None
    type_code: Annotated[str | None, at("watchListTypeCode", "The broker's kind of list; WL.")] = None
    sort_order: Annotated[int | None, at("sortOrder", "Its place among the lists.")] = None
    created_at: Annotated[datetime | None, at("createdTimeStamp", "When it was made.", form="stamp")] = None
    updated_at: Annotated[
        datetime | None, at("lastUpdatedTime", "When it was last changed.", form="stamp", column="Changed")
    ] = None
    securities: Annotated[list[WatchedSecurity], at("securityDetails[]", "Its securities, in order.")] = []


class Watchlists(Document):
    """Watchlists, in the broker's order."""

    watchlists: Annotated[list[Watchlist], at("watchListDetails[]", "The lists.")] = []


class SavedWatchlist(Document):
    """A watchlist that was saved."""

    name: Annotated[str, at(None, "Its name.", column="Name")] = ""
    watchlist_id: Annotated[str | None, at("watchListId", "Its id.", column="Id")] = None
    created: Annotated[bool, at(None, "Whether it is a new list.", column="New")] = False
    is_default: Annotated[bool, at(None, "Whether it is the default list.", column="Default")] = False
    symbols: Annotated[list[str], at(None, "Its symbols, in order.", column="Symbols")] = []


class DeletedWatchlist(Document):
    """A watchlist that is gone."""

    watchlist_id: Annotated[str, at(None, "Its id.", column="Id")] = ""
    name: Annotated[str, at(None, "Its name.", column="Name")] = ""
    deleted: Annotated[bool, at(None, "Whether it is gone.", column="Deleted")] = True


class WatchlistEntry(Request, kw_only=True, frozen=True):
    """A security for a watchlist, with what you hold of it or paid for it."""

    symbol: Annotated[str, at(None, "Symbol.", example="AAPL")]
    quantity: Annotated[Decimal, at(None, "Quantity kept beside it.", unit=SHARES)] = Decimal(0)
    purchase_price: Annotated[Decimal, at(None, "Purchase price kept beside it.", unit=PER_SHARE)] = Decimal(
        0
    )

    def __post_init__(self) -> None:
        for name in ("quantity", "purchase_price"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise ValidationFailed.of(name, value, "be 0 or above")


class WatchlistChange(Request, kw_only=True, frozen=True):
    """A watchlist as it shall be.

    Without ``watchlist_id`` a new list is made. With it that list is changed: what is not given stays.
    """

    watchlist_id: Annotated[
        str | None,
        at(None, "Id of the list to change, or its name where only one has it; a new one where left out."),
    ] = None
    name: Annotated[str | None, at(None, "Name; needed for a new list.", example="Energy")] = None
    symbols: Annotated[list[str] | None, at(None, "All its symbols, in order.", example=["XOM", "CVX"])] = (
        None
    )
    securities: Annotated[
        list[WatchlistEntry] | None,
        at(None, "The same with quantity and purchase price, instead of the symbols."),
    ] = None
    add: Annotated[list[str], at(None, "Symbols to add at the end of the list.")] = []
    remove: Annotated[list[str], at(None, "Symbols to take off the list.")] = []
    is_default: Annotated[bool | None, at(None, "Make it the default list, or no longer.")] = None

    def __post_init__(self) -> None:
        if self.watchlist_id is not None and not self.watchlist_id.strip():
            raise ValidationFailed.of("watchlist_id", self.watchlist_id, "be left out for a new list")
        if self.watchlist_id is None and not (self.name or "").strip():
            raise ValidationFailed.of("name", self.name, "be given for a new list")
        if self.name is not None and not self.name.strip():
            raise ValidationFailed.of("name", self.name, "have at least one character")
        if self.symbols is not None and self.securities is not None:
            raise ValidationFailed.of(
                "securities", len(self.securities), "be left out where symbols are given"
            )
        whole = self.symbols is not None or self.securities is not None
        for name in ("add", "remove"):
            given: list[str] = getattr(self, name)
            if given and (whole or (self.watchlist_id is None and name == "remove")):
                rule = "go without symbols and securities" if whole else "go with an existing list"
                raise ValidationFailed.of(name, ", ".join(given), rule)
