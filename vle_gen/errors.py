"""The one error that means "what you gave is wrong": the command line prints it as one line and exits with status 2.

Everything else that is raised is a fault of ours and keeps its traceback.
"""


class UserError(ValueError):
    """Something the user gave is wrong. The message is one line: what was wrong, and what would be right."""


UNLOADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError)
"""What loading a checkpoint ends in whose files are missing, damaged, or do not fit one another or this version."""
MOST_SAID = 300  # letters of what is wrong with one: PyTorch lists every weight that does not fit


def cannot_load(what: str, fault: Exception) -> UserError:
    """The line for one of `UNLOADABLE`; `what` names the checkpoint."""
    said = " ".join(str(fault).split())
    return UserError(f"cannot load {what}: {said[:MOST_SAID]}{'...' * (len(said) > MOST_SAID)}")
