"""Which pixels are whose: outlines of tokens at the picture's own size, and objects that a person points out.

Boxes, points and masks that are given become pixels of a token here; `vle_gen.workflows` asks for them."""
