"""The prior, text to tokens: `network` is what trains, `sampling` draws tokens, `model` is it all for diffusers."""
