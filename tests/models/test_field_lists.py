"""Lists inside a wrapper of the plural name, in all the shapes of protocol 01 §1.4."""

from typing import Annotated, Any

import pytest

from ftcli.models.field import Model, at, read, write


class Lot(Model):
    number: Annotated[int | None, at("lotId", "Number.")] = None


class Lots(Model):
    lots: Annotated[list[Lot], at("root.lotDetails.lotDetail[]|lots[]", "Lots.")] = []


@pytest.mark.parametrize(
    ("document", "numbers"),
    [
        ({"root": {"lotDetails": {"lotDetail": [{"lotId": 1}, {"lotId": 2}]}}}, [1, 2]),
        ({"root": {"lotDetails": {"lotDetail": {"lotId": 1}}}}, [1]),
        ({"root": {"lotDetails": [{"lotId": 1}, {"lotId": 2}]}}, [1, 2]),
        ({"root": {"lotDetails": [{"lotDetail": {"lotId": 1}}, {"lotDetail": {"lotId": 2}}]}}, [1, 2]),
        ({"root": {"lotDetails": {"lotId": 1}}}, [1]),
        ({"root": {"lotDetails": {"lotDetail": []}}}, []),
        ({"root": {"lotDetails": {"lotDetail": None}}}, []),
        ({"root": {"lotDetails": {}}}, []),
        ({"root": {"lotDetails": []}}, []),
        ({"root": {"lotDetails": "--"}}, []),
        ({"root": {"lotDetails": None}}, []),
        ({"root": {}}, []),
        ({}, []),
        ({"lots": [{"lotId": 3}]}, [3]),
        ({"root": None, "lots": {"lotId": 3}}, [3]),
    ],
)
def test_every_shape_of_a_list(document: Any, numbers: list[int]) -> None:
    assert [lot.number for lot in read(Lots, document).lots] == numbers


def test_it_is_written_in_the_usual_one() -> None:
    assert write(Lots(lots=[Lot(number=1)])) == {"root": {"lotDetails": {"lotDetail": [{"lotId": 1}]}}}
