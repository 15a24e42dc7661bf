"""What commands and the studio do from end to end: edits in words, batches, films, prompts as files, objects pointed out.

The highest layer: it puts pipelines, files and edits together, and only `vle_gen.commands` and `vle_gen.studio` stand on it."""
