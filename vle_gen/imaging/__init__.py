"""Plain operations on pixels: filters that count only what is known, colours by name, by look and in other paint.

Nothing here knows of tokens or models."""
