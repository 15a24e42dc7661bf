"""Text to tokens: the prior draws, the layout is put right, what comes out is checked, and what breaks the prompt drawn again.

`drawing` does so for whole pictures and `writing` for one more object in a picture; the other modules are steps of theirs."""
