"""Tokens as few bytes: `what` is transformed, quantised and entropy-coded with statistics of the checkpoint's own tokens.

`code` holds the statistics and does the coding, `fit` learns them, `density` and `ans` are the integer entropy coder.
"""
