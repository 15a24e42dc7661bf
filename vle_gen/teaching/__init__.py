"""Teaching a checkpoint an object from a few pictures: `lesson.teach` is what `vlegen teach` calls.

The name joins the lexicon (`naming`), CLIP learns to see it (`seeing`), the prior to write it (`writing`). What was known is
rehearsed with pictures that the checkpoint itself draws (`rehearsal`), and both are measured (`measuring`).
"""
