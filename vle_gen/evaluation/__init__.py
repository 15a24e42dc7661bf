"""How good results are: scores of a pipeline on scenes and on prompts, and judges that share nothing with what they judge."""
