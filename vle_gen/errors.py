"""The one error that means "what you gave is wrong": the command line prints it as one line and exits with status 2.

Everything else that is raised is a fault of ours and keeps its traceback.
"""


class UserError(ValueError):
    """Something the user gave is wrong. The message is one line: what was wrong, and what would be right."""
