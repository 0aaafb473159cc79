"""Every attack by its name, in the order in which the hostile visitor goes through them."""

from __future__ import annotations

from collections.abc import Sequence

from mmner_core.errors import InputError
from tests.load.attacks import floods, heavy_json, identifiers, monopolies, room, texts, unfetched
from tests.load.attacks.attack import Attack

ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for module in (identifiers, heavy_json, texts, room, unfetched, monopolies, floods)
    for attack in module.ATTACKS
}


def choose_attacks(names: Sequence[str]) -> tuple[Attack, ...]:
    """Return the attacks of those names, all of them without a name.

    Raises:
        InputError: if there is none of a name.
    """
    for name in names:
        if name not in ATTACKS:
            raise InputError(f"There is no attack {name[:60]!r}; there are: {', '.join(ATTACKS)}.")
    return tuple(ATTACKS[name] for name in dict.fromkeys(names)) or tuple(ATTACKS.values())
