"""Training configurations as YAML data; `vle_gen.config` holds their types and reads them.

Every number that a person might tune is in one of these files, with a comment that says what it does.
"""
