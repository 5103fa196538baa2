"""What a shop's own figures put in the place of a playbook's variables, for a preview.

Only what its stored codes say; the rest (zones, tickets, a strong shop) stays a sample.
"""

from collections.abc import Mapping

from hub.api.answers import stored_codes
from hub.codes.code import Code
from hub.codes.computing import UnknownShop
from hub.codes.sentences import said
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.store.database import Connection
from storepulse.checklists import Sentence


def values_of_shop(connection: Connection, shop: str, dimension: str) -> Mapping[str, Sentence]:
    """Values of variables by the shop's newest code of a dimension; of "any" its people's.

    Raises:
        UnknownShop: it is not there, or none of the session's.
    """
    if not known_shops(connection, [shop]):
        raise UnknownShop(f"shop {shop!r} is not known")
    values = {"shop": Sentence(shop, shop)}
    day = newest_code_day_seen(connection)
    four = stored_codes(connection, shop, day) if day else None
    for code in four or ():
        if code.dimension == dimension or (dimension == "any" and code.dimension == "people"):
            values |= _values(code)
    return values


def _values(code: Code) -> dict[str, Sentence]:
    day = code.day.isoformat()
    rule = Sentence(f"{code.rule[:1].upper()}{code.rule[1:]}.", f"{code.rule_zh}。")
    found = {"day": Sentence(day, day), "rule": rule}
    if code.value is not None:
        found["figure"] = said(code.dimension, code.value)
    if code.turns_green_at is not None:
        found["limit"] = said(code.dimension, code.turns_green_at)
    return found
