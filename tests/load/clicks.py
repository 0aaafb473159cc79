"""Click a name of an answer, as a visitor does who wants to see where the model looked."""

from __future__ import annotations

from typing import Any

from tests.load.wire import BUTTON, MAP, PROBLEM, RESULT, Handler, Session, new_value, number_of


def can_click(config: dict[str, Any], outputs: list[Any]) -> bool:
    """Say whether an answer, as the button's handler gave it, has a name with a heat map."""
    handler = Handler.find(config, BUTTON, "click")
    return new_value(outputs[handler.outputs.index(number_of(config, MAP))]) is not None


async def click_name(session: Session, config: dict[str, Any], outputs: list[Any]) -> str:
    """Click the first name of an answer; return what is wrong with what the page then shows, "" for nothing.

    Args:
        session: in which the question was asked.
        config: of the page.
        outputs: the answer, as the button's handler gave it.

    Raises:
        Busy: if the app has no room at the moment.
        Failed: if it answers with an error.
        Lost: if it does not answer.
    """
    asked, click = Handler.find(config, BUTTON, "click"), Handler.find(config, RESULT, "select")
    held = dict(zip(click.inputs, click.values, strict=True))
    held |= {n: new_value(value) for n, value in zip(asked.outputs, outputs, strict=True) if n in held}
    changed = await session.send(click.number, [held[n] for n in click.inputs], {"entity": 0})
    told = next((value for value in changed if isinstance(value, str) and PROBLEM in value), "")
    return f"The page shows a problem: {told}" if told else ""
