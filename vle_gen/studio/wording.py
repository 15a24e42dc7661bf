"""What the library says to people who type commands, said to one who has the page: what to do there instead of options."""
from __future__ import annotations

import re

KNOWS = "a studio started with the checkpoint everyday"
_SAID: tuple[tuple[str, str], ...] = (  # patterns, and what is said on the page
    (r", or take '--checkpoint everyday'", ""),
    (r"'--checkpoint everyday'", KNOWS),
    (r": leave --checkpoint out for one that does, or put objects of other pictures in with 'vlegen paste'",
     ": duplicate what is in the picture, or give it other colours"),
    (r": name the one that (made them|did) with --checkpoint",
     ": open the picture itself, or take a studio of that checkpoint"),
    (r": if there is one, say its extent with --box X,Y,W,H instead of --point", ": if there is one, draw a box around it"),
    (r": --box and --point are for checkpoints that have", ": take a studio started with a checkpoint that has them"),
    (r": expected what --save, or -o NAME\.vle, writes", ": expected what Save, Tokens, writes"),
    (r" \(see 'vlegen .*?'\)", ""),
    (r": 'vlegen names' lists what there is", ""),
)  # fmt: skip


def on_page(message: str) -> str:
    """A message of the library, without options and commands that a page does not have."""
    for pattern, said in _SAID:
        message = re.sub(pattern, said, message)
    return message
