"""The caption language: writes true captions for scenes, parses prompts, and checks a scene against a prompt.

`captions.write`: scene -> text; `grammar.parse`: text -> SceneRequest; `satisfied.check`: request, scene -> what fails.
"""
from prompts.captions import Caption, write
from prompts.grammar import parse
from prompts.known import require_known, unknown_words
from prompts.lexicon import Lexicon
from prompts.reading import Reading, notes, read
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import describe

__all__ = [
    "Caption", "Lexicon", "Mention", "Reading", "Relation", "SceneRequest", "check", "describe", "notes", "parse", "read",
    "require_known", "unknown_words", "write",
]
