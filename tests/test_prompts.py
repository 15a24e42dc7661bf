"""The caption language: every caption is true and can be read back, every negative is false, checks name what fails."""
from collections import Counter
from random import Random

import pytest

from prompts import (
    Mention,
    Relation,
    SceneRequest,
    check,
    describe,
    notes,
    parse,
    read,
    require_known,
    unknown_words,
    write,
)
from prompts.captions import write_object
from prompts.colours import WORDS_FOR, nearest
from prompts.known import require_drawable
from prompts.naming import Thing, lexicon_of
from prompts.negatives import negative
from prompts.rewording import reword
from prompts.satisfied import CLEAR, ENOUGH, holds
from prompts.scene import NO_ATTRIBUTES, Scene
from prompts.scene_captions import Often
from prompts.scene_captions import write as write_scene
from prompts.synonyms import NEAR, SAME, split_words
from prompts.vocabulary import ADJECTIVES, ALL_RELATIONS, BETWEEN, NOUNS, ON, WORDS, combinations
from vle_gen.errors import UserError

RED_BALL, CUBE, BLUE_BALL = (1, 1, 1, 1), (0, 0, 0, 2), (1, 0, 0, 2)
OTHERS: dict[str, list[str]] = {}
for other, word in (SAME | NEAR).items():
    if word in ADJECTIVES or word in NOUNS:
        OTHERS.setdefault(word, []).append(other)
for name in WORDS_FOR:
    OTHERS.setdefault(nearest(name), []).append(name)
OTHERS["gray"] = [*OTHERS["gray"], "grey"]


def scene(random: Random, n: int):
    """Attributes, boxes and depths of n objects, near to far."""
    attributes = [[random.randrange(k) for k in (3, 2, 2, 8)] for _ in range(n)]
    sizes = [random.uniform(0.06, 0.2) for _ in range(n)]
    box = [[random.uniform(0.1, 0.9), random.uniform(0.3, 0.9), size, size] for size in sizes]
    return attributes, box, sorted(random.uniform(6, 16) for _ in range(n))


def said(request: SceneRequest) -> tuple[Counter, Counter]:
    names = request.mentions
    return (
        Counter(map(str, names)),
        Counter((str(names[r.subject]), r.kind, str(names[r.object])) for r in request.relations),
    )


def careless(text: str, random: Random, often: float = 0.4) -> str:
    """The caption with some of its words said otherwise; it reads back as the same."""
    words = []
    for word in text.split():
        core = word.rstrip(",.;")
        if core in OTHERS and random.random() < often:
            core = random.choice(OTHERS[core])
        if random.random() < 0.1:
            core = random.choice((core.upper(), core.capitalize()))
        words.append(core + word[len(word.rstrip(",.;")) :])
    joined = words[0]
    for word in words[1:]:
        joined += random.choice((" ", " ", " ", "  ")) + word
    return random.choice((joined, f"  {joined} ", f"please draw {joined}"))


def test_captions_are_true_and_read_back_as_written():
    random = Random(0)
    for _ in range(6000):
        content = scene(random, random.choice((0, 1, 2, 2, 3, 4, 5, 6, 7, 9)))
        caption = write(*content, random, whole=random.choice((0.5, 1.0)))
        request = parse(caption.text)
        assert request is not None, caption.text
        assert said(request) == said(caption.request), caption.text
        assert check(request, *content) == [], caption.text
        assert unknown_words(caption.text) == [], caption.text


def test_captions_typed_carelessly_mean_the_same():
    random = Random(11)
    for _ in range(3000):
        content = scene(random, random.randint(1, 6))
        caption = write(*content, random)
        typed = careless(caption.text, random)
        request = parse(typed)
        assert unknown_words(typed) == [] and request is not None, (typed, caption.text)
        assert said(request) == said(caption.request), (typed, caption.text)
        assert check(request, *content) == [], typed
        assert unknown_words(read(typed).text) == [] and not set(split_words(read(typed).text)) - WORDS - set(",;.:")


def test_whole_captions_leave_nothing_out():
    random = Random(1)
    for _ in range(1000):
        content = scene(random, random.randint(1, 9))
        caption = write(*content, random, whole=1.0)
        assert check(parse(caption.text), *content, exact=True) == [], caption.text


def test_captions_know_which_words_speak_of_what():
    random, again = Random(5), 0
    for _ in range(400):
        caption = write(*scene(random, random.randint(1, 6)), random)
        spans = [(caption.text[span.start : span.end], span.mention) for span in caption.spans]
        assert [k for k, _ in enumerate(caption.request.mentions)] == list(dict.fromkeys(mention for _, mention in spans))
        assert all(a.end <= b.start for a, b in zip(caption.spans, caption.spans[1:], strict=False))
        for words, mention in spans:
            alone = parse(words.removeprefix("another "))
            (said,) = alone.mentions
            meant = caption.request.mentions[mention]
            assert all(a in (None, b) for a, b in zip(said.attributes, meant.attributes, strict=True)), caption
        again += len(spans) - len(caption.request.mentions)
    assert again > 50


def test_negatives_are_false():
    random = Random(2)
    made = 0
    for _ in range(2000):
        content = scene(random, random.randint(1, 6))
        wrong = negative(write(*content, random), *content, random)
        if wrong is not None:
            made += 1
            assert check(parse(wrong.text), *content), wrong.text
    assert made > 1500


def test_same_seed_same_captions():
    first, second = ([write(*scene(r, 4), r).text for _ in range(50)] for r in (Random(5), Random(5)))
    assert first == second


def test_every_word_of_the_language_is_written():
    random = Random(3)
    words = set()
    for _ in range(60_000):
        words.update(split_words(write(*scene(random, random.choice((0, 2, 3, 4, 6, 9, 9, 9))), random).text))
        if words >= WORDS:  # rare ones (such as "9" for nine cubes) take a while
            break
    assert WORDS - words <= set("123456789"), "a word that is parsed but never written would be new to a trained CLIP"
    assert words - WORDS <= set(",;.")


def test_object_captions():
    random = Random(4)
    for _ in range(500):
        request = parse(write_object(RED_BALL, random).text)
        assert check(request, [RED_BALL], [[0.5, 0.5, 0.1, 0.1]], [9.0], exact=True) == []


def test_captions_take_few_calls(calls_of):
    """As many are written in training as pictures are composed: 18,000 a second, on a quiet core."""
    random = Random(0)
    scenes = [scene(random, random.randint(1, 6)) for _ in range(200)]
    assert calls_of(lambda: [write(*content, random) for content in scenes]) < 1500 * len(scenes)


THREE = [Mention(1), Mention(0), Mention(2)]


@pytest.mark.parametrize(("prompt", "mentions", "relations"), [
    ("red ball left of a cube", [Mention(1, None, None, 1), Mention(0)], [(0, "left of", 1)]),
    ("  A RED  ball,to the left of a blue box. ", [Mention(1, color=1), Mention(0, color=2)], [(0, "left of", 1)]),
    ("three red cubes and a ball", [Mention(0, None, None, 1, 3), Mention(1)], []),
    ("a big cube behind a small one", [Mention(0, 1), Mention(0, 0)], [(0, "behind", 1)]),
    ("two metal things", [Mention(None, None, 1, None, 2)], []),
    ("a large, shiny, grey can", [Mention(2, 1, 1, 0)], []),
    ("a small cube made of metal", [Mention(0, 0, 1)], []),
    ("there is a ball. the ball is left of the cube", [Mention(1), Mention(0)], [(0, "left of", 1)]),
    ("a ball left of a cube and a can", [Mention(1), Mention(0), Mention(2)], [(0, "left of", 1), (0, "left of", 2)]),
    ("a ball left of a cube and behind a can", THREE, [(0, "left of", 1), (0, "behind", 2)]),
    ("a ball left of a cube that is behind a can", THREE, [(0, "left of", 1), (1, "behind", 2)]),
    ("behind a can there is a ball", [Mention(2), Mention(1)], [(1, "behind", 0)]),
    ("a cube with a red ball to its left", [Mention(0), Mention(1, None, None, 1)], [(1, "left of", 0)]),
    ("some cubes", [Mention(0, count=2, open=True)], []),
    ("a picture of 2 cubes", [Mention(0, count=2)], []),
    ("an empty scene", [], []),
    ("there is a crimson orb and a navy dice", [Mention(1, color=1), Mention(0, color=2)], []),
    ("redball leftof a CUBE", [Mention(1, color=1), Mention(0)], [(0, "left of", 1)]),
    ("a cyl inder standing to left of a box", [Mention(2), Mention(0)], [(0, "left of", 1)]),
    ("draw me a pair of golden cylinders, please", [Mention(2, color=7, count=2)], []),
    ("a huge dark green ball", [Mention(1, 1, None, 3)], []),
    ("a ball between two cubes", [Mention(1), Mention(0, count=2)], [(0, "between", 1)]),
    ("a ball between a red cube and a can", [Mention(1), Mention(0, color=1), Mention(2)], [(0, "between", 1, 2)]),
    ("two cubes with a ball between them", [Mention(0, count=2), Mention(1)], [(1, "between", 0)]),
    ("a ball between two cubes and behind a can", [Mention(1), Mention(0, count=2), Mention(2)],
     [(0, "between", 1), (0, "behind", 2)]),
    ("a ball between two cubes and a can", [Mention(1), Mention(0, count=2), Mention(2)], [(0, "between", 1)]),
])
def test_parse(prompt, mentions, relations):
    assert parse(prompt) == SceneRequest(tuple(mentions), tuple(Relation(*r) for r in relations))


@pytest.mark.parametrize(
    "prompt", ["", "  .", "red", "left of", "red blue cube", "a cube a ball left", "of of", "cube made of red",
     "a ball between a cube", "a cube with a ball between them"]
)
def test_what_the_grammar_cannot_read_is_none(prompt):
    assert parse(prompt) is None


def test_unknown_words_are_named():
    assert unknown_words("a Zebra left of a cube, zebra on a table") == ["zebra", "table"]
    with pytest.raises(UserError, match="'zebra', 'table'"):
        require_known("a zebra left of a table")
    with pytest.raises(UserError, match="prompt is empty"):
        require_known(" , ")
    require_known("red ball left of a cube")


@pytest.mark.parametrize("name", ["cat \N{CAT FACE}", "\N{LATIN SMALL LIGATURE FI}sh", "\ue001 star"])
def test_names_are_captioned_in_whatever_signs(name):
    box = ((0.2, 0.5, 0.2, 0.2), (0.7, 0.5, 0.2, 0.2))
    content = Scene((name, "dog"), (NO_ATTRIBUTES,) * 2, box, (1.0, 2.0))
    for seed in range(8):
        caption = write_scene(content, lexicon_of([Thing(name), Thing("dog")]), Random(seed), Often(whole=1.0))
        assert name in caption.text
        spoken = [caption.text[one.start : one.end] for one in caption.spans]
        assert spoken and all((name in words) != ("dog" in words) for words in spoken)


def test_a_prompt_too_long_to_be_read_is_refused():
    """The grammar descends with each "with", and so far would be too far for Python."""
    with pytest.raises(UserError, match="the prompt has 18006 characters: expected at most 2000"):
        require_drawable("a ball" + " with a cube" * 1500)
    require_drawable("a ball" + " with a cube" * 160)


def test_a_misspelt_word_is_guessed():
    with pytest.raises(UserError, match="'spere' may be 'sphere'"):
        require_known("a red spere")


def test_what_is_drawn_instead_is_said():
    assert notes("a crimson cube and a dark green wooden ball") == [
        "'crimson' is drawn as red", "'dark green' is drawn as green", "'wooden' is drawn as rubber"
    ]
    assert notes("a red ball") == [] and read("a crimson orb").text == "a red ball"
    named = {"crimson": "red", "navy": "blue", "teal": "cyan", "golden": "yellow", "white": "gray", "violet": "purple",
             "olive": "green", "chocolate": "brown"}
    assert {name: nearest(name) for name in named} == named


def test_between_is_said_in_words_that_were_trained_on():
    reading = read("a ball between two cubes")
    assert unknown_words(reading.text) == [] and "between" not in reading.text
    box, depth = [[0.5, 0.5, 0.1, 0.1], [0.2, 0.5, 0.1, 0.1], [0.8, 0.5, 0.1, 0.1]], [8.0, 9.0, 10.0]
    ball, cubes = RED_BALL, [CUBE, CUBE]
    assert check(reading.request, [ball, *cubes], box, depth) == []
    assert check(reading.order, [ball, *cubes], box, depth) == []
    aside = [[0.9, 0.5, 0.05, 0.1], *box[1:]]
    assert check(reading.request, [ball, *cubes], aside, depth) == ["sphere not between 2 cubes"]
    for x in (0.05, 0.95):
        assert check(reading.order, [ball, *cubes], [[x, 0.5, 0.05, 0.1], *box[1:]], depth), "neither left nor right of both"


def test_between_two_it_may_stand_either_way_round():
    box = [[0.5, 0.5, 0.1, 0.1], [0.2, 0.5, 0.1, 0.1], [0.8, 0.5, 0.1, 0.1]]
    request = parse("a red ball between a cube and a blue ball")
    for there in ([RED_BALL, CUBE, BLUE_BALL], [RED_BALL, BLUE_BALL, CUBE]):
        assert check(request, there, box, [8.0, 9.0, 10.0]) == []


@pytest.mark.parametrize("kind", [kind for kind in ALL_RELATIONS if kind != BETWEEN])
def test_what_a_caption_may_claim_a_check_accepts(kind):
    random, clear, enough = Random(0), 0, 0
    for _ in range(3000):
        one, other = ([random.uniform(0.3, 0.7) for _ in range(2)] + [random.uniform(0.05, 0.3)] * 2 for _ in range(2))
        if kind == ON:  # of few at random
            one[1] = other[1] - (one[3] + other[3]) / 2 + random.uniform(-0.02, 0.02)
        far = [random.uniform(8, 8.6 if kind == ON else 12) for _ in range(2)]
        claimed, accepted = (holds(kind, one, far[0], other, far[1], margin) for margin in (CLEAR, ENOUGH))
        assert accepted or not claimed
        clear, enough = clear + claimed, enough + accepted
    assert 0 < clear < enough < 3000, "and a check accepts more"


def test_what_is_on_another_thing_is_as_far_away():
    below, above = [0.5, 0.6, 0.2, 0.2], [0.5, 0.45, 0.1, 0.1]
    assert holds(ON, above, 10.0, below, 10.1, ENOUGH) and not holds(ON, above, 14.0, below, 10.0, ENOUGH)


def test_check_names_what_fails():
    box, depth = [[0.2, 0.5, 0.1, 0.1], [0.7, 0.5, 0.1, 0.1]], [8.0, 10.0]
    content = ([RED_BALL, CUBE], box, depth)
    assert check(parse("red ball left of a cube"), *content) == []
    assert check(parse("red ball in front of a cube"), *content) == []
    assert check(parse("red ball right of a cube"), *content) == ["red sphere not right of cube"]
    assert check(parse("red ball next to a cube"), *content) == ["red sphere not next to cube"]
    assert check(parse("green ball"), *content) == ["no green sphere"]
    assert check(parse("three things"), *content) == ["2 instead of 3 objects"]
    assert check(parse("red ball"), *content) == []
    assert check(parse("red ball"), *content, exact=True) == ["1 object more than asked for"]
    third = ([RED_BALL, CUBE, BLUE_BALL], [*box, box[0]], [*depth, 12.0])
    assert check(parse("two things"), *third) == ["3 instead of 2 objects"]


def test_check_finds_the_assignment_that_works():
    attributes = [RED_BALL, BLUE_BALL, CUBE]
    box = [[0.8, 0.5, 0.1, 0.1], [0.2, 0.5, 0.1, 0.1], [0.5, 0.5, 0.1, 0.1]]
    request = parse("a ball left of a cube and a red ball")
    assert check(parse("a ball left of a cube, a red ball"), attributes, box, [8.0, 9.0, 10.0]) == []
    assert check(request, attributes, box, [8.0, 9.0, 10.0]) == []


def test_descriptions():
    assert describe((1, 1, 1, 1)) == "large red metal sphere"
    assert describe((None, None, None, 3)) == "green object"
    names = [describe(attributes) for attributes in combinations()]
    assert len(set(names)) == 96
    assert [parse(name).mentions[0].attributes for name in names] == combinations()


@pytest.mark.parametrize("word", ["without", "inside", "into"])
def test_words_of_a_meaning_of_their_own_are_not_taken_apart(word):
    assert reword(f"a ball {word}").unknown == (word,)
    assert reword("a ball leftof a cube").unknown == ()
