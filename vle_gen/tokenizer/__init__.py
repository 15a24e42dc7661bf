"""The tokenizer: picture -> tokens -> picture. Backbone, autoregressive loop, glimpse encoder and decoder."""
