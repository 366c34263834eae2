"""What is due, and what holds it back."""

import click

from archive.days import parse_day
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed


@click.command()
@click.option("--as-of", metavar="DATE", help="Another day than today · 不以今天而以某日为准.")
@framed
def sweep(frame: Frame, *, as_of: str | None) -> None:
    """List what is due for disposal and what holds it back; nothing is destroyed ·
    列出到期和不得处置的档案（不销毁）.
    """
    wanted = None if as_of is None else parse_day(as_of)
    with frame.house() as house:
        today = house.clock().astimezone(frame.settings.zone).date()
        plan = house.sweeps.sweep(CONSOLE, wanted or today)
    frame.give(
        plan.to_json(),
        (
            *(f"{each.reference}  {each.due_on}" for each in plan.due),
            *(f"{each.reference}  {each.due_on}  {frame.words('cli.held_back')}" for each in plan.held),
            frame.words("cli.swept", due=len(plan.due), held=len(plan.held), upcoming=len(plan.upcoming)),
        ),
    )


@click.command()
@click.option("--reason", required=True, help="Why it is held · 冻结的理由.")
@click.argument("reference")
@framed
def hold(frame: Frame, *, reason: str, reference: str) -> None:
    """Hold a file back from disposal · 冻结：即使期满也不得处置."""
    with frame.house() as house:
        placed = house.holds.place(CONSOLE, reference, reason)
    frame.give(
        {"reference": placed.reference, "hold": placed.id},
        (frame.words("case.held", reference=placed.reference),),
    )


@click.command()
@click.option("--reason", required=True, help="Why it is lifted · 解除的理由.")
@click.argument("reference")
@framed
def lift(frame: Frame, *, reason: str, reference: str) -> None:
    """Lift the hold of a file · 解除冻结."""
    with frame.house() as house:
        lifted = house.holds.lift(CONSOLE, reference, reason)
    frame.give(
        {"reference": lifted.reference, "hold": lifted.id},
        (frame.words("case.lifted", reference=lifted.reference),),
    )


COMMANDS = (sweep, hold, lift)
