"""Reading and writing: pictures, tensors, `.vle` files, and the models and checkpoints that they come from.

The lowest layer: nothing here knows what a picture shows."""
