"""How much a planogram plans, score by score. Pure and light: a node asks it of each."""

from planograms.model import Planogram


def planned_of(planogram: Planogram) -> dict[str, int]:
    """How many things each score is out of; main push 0 where no product is marked."""
    facings: dict[str, int] = {}
    for position in planogram.positions:
        many = position.facings * position.facings_high
        facings[position.product] = facings.get(position.product, 0) + many
    return {
        "exposure_main_push": sum(facings.get(name, 0) for name in planogram.main_push),
        "facing_compliance": sum(facings.values()),
        "position_compliance": len(planogram.runs()),
        "on_shelf_availability": len(facings),
    }
