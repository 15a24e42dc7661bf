"""An edited picture out of its source: taken apart into layers, each moved, relit or painted, and composited again.

`detail` is the whole of it, by which nothing changes but what an edit changes; `body` is the layer that all of it passes on."""
