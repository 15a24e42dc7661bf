"""What is hidden: the floor of a picture, the light on it, and its patterns and grain, where things stand before them.

`ground` puts the rest together; `exemplars` fills what is left with pieces of the picture."""
