"""What is said to somebody whose prompt cannot be drawn as it is put, and what is understood after all."""
from time import process_time

import pytest

import vle_gen
from prompts.grammar import parse, parsed
from prompts.known import require_drawable
from prompts.reading import faint, notes, read
from prompts.spelling import words_of
from prompts.undrawn import without_undrawn
from vle_gen.errors import UserError
from vle_gen.generation.dyeing import colour_of
from vle_gen.workflows.from_text import Made, Wish


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


def refusal(pipe, prompt) -> str:
    with pytest.raises(UserError) as fault:
        require_drawable(prompt, pipe.words, pipe.lexicon)
    return str(fault.value)


@pytest.mark.parametrize("prompt", ["a big small dog", "a red blue cat", "a red apple that is green", "a black white cat"])
def test_a_thing_is_not_of_two_sizes_or_colours(everyday, prompt):
    assert "leave one out" in refusal(everyday, prompt)


@pytest.mark.parametrize("prompt", ["a small large ball", "a metal rubber ball", "a red blue ball"])
def test_nor_is_a_solid(pipe, prompt):
    assert "leave one out" in refusal(pipe, prompt)


@pytest.mark.parametrize(
    "prompt", ["a navy blue car", "a dark red cat", "a red orange", "a silver grey car", "a large red cat", "a black cat"]
)
def test_words_that_go_together_are_drawn(everyday, prompt):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert notes(prompt, everyday.words, everyday.lexicon) == []


def test_looks_and_actions_of_solids_are_left_out_too(pipe):
    prompt = "a tall red cube rolling towards a bouncing ball, studio lighting"
    require_drawable(prompt, pipe.words, pipe.lexicon)
    assert parse(prompt) == parse("a red cube next to a ball")
    assert notes(prompt) == ["'rolling towards' is drawn as next to", *(
        f"'{said}' is left out" for said in ("tall", "bouncing", "studio lighting")
    )]  # fmt: skip


@pytest.mark.parametrize(("prompt", "plainly", "left"), [
    ("an apple, ripe and red", "a red apple", ["ripe"]),
    ("a lemon, ripe and yellow", "a yellow lemon", ["ripe"]),
    ("a cat next to a ghost, spooky and orange", "a cat next to an orange ghost", ["spooky"]),
    ("a dog that is happy and red", "a red dog", ["happy"]),
    ("a dog that is happy next to a cat", "a dog next to a cat", ["happy"]),
    ("a small but heavy box", "a small box", ["heavy"]),
    ("a cat in the style of monet next to a dog", "a cat next to a dog", ["in the style of monet"]),
    ("a cat in the style of monet and a dog", "a cat and a dog", ["in the style of monet"]),
    ("a hot coffee", "a coffee", ["hot"]),
    ("a cat that is cute, orange", "an orange cat", ["cute"]),
    ("a cat that is cute, orange, big", "a big orange cat", ["cute"]),
    ("a man with glasses of wine", "a man with two glasses of wine", []),
])  # fmt: skip
def test_what_can_be_drawn_beside_it_is_drawn(everyday, prompt, plainly, left):
    told = parse(prompt, everyday.lexicon)
    assert [(one.name, one.shape, one.color, one.dye, one.size, one.count) for one in told.mentions] == [
        (one.name, one.shape, one.color, one.dye, one.size, one.count) for one in parse(plainly, everyday.lexicon).mentions
    ] and len(told.relations) == len(parse(plainly, everyday.lexicon).relations)
    assert notes(prompt, everyday.words, everyday.lexicon) == [f"'{said}' is left out" for said in left]


def test_no_comma_is_left_where_something_was_left_out(everyday):
    said = {"a cat, 4k": "a cat", "a cat, in the style of monet, next to a dog": "a cat, next to a dog"}
    assert {prompt: read(prompt, everyday.words, everyday.lexicon).text for prompt in said} == said


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("a pink cat in a box", "a pink cat in front of a box", ["'in' is drawn as in front of"]),
    ("an owl sitting in a big tree", "an owl in front of a big tree", ["'in' is drawn as in front of"]),
    ("the bird is in the tree", "a bird in front of a tree", ["'in' is drawn as in front of"]),
    ("a cat in a hat", "a cat with a hat on top of it", []),
    ("a boy with a balloon in his hand", "a boy and a balloon", ["'in his hand' is left out"]),
    ("draw a cat\n- with a hat\n- next to a dog", "a cat with a hat on it, next to a dog", []),
    ("a dog in front, a cat in back", "a dog in the foreground, a cat in the background", []),
    ("left a cat, right two dogs", "a cat on the left, two dogs on the right", []),
    ("left red cat and right big dog", "a red cat on the left and a big dog on the right", []),
    ("top hat", "a top hat", []),
    ("a cube, on it a ball, on it a cat", "a ball on a cube, a cat on the ball", []),
    ("a cat, left of it a dog, right of it a bird", "a dog left of a cat, a bird right of the cat", []),
    ("a cylinder. Left of that a cube. Behind that a ball.", "a cube left of a cylinder. A ball behind the cube", []),
    ("a table, on it a cup", "a cup on a table", []),
    ("a red car and a blue car parked side by side", "a red car and a blue car side by side", []),
])  # fmt: skip
def test_where_things_are_in_other_words(everyday, prompt, plainly, told):
    one, other = parse(prompt, everyday.lexicon), parse(plainly, everyday.lexicon)
    assert sorted(map(str, one.mentions)) == sorted(map(str, other.mentions)) and one.background == other.background
    assert {(str(one.mentions[link.subject]), link.kind, str(one.mentions[link.object])) for link in one.relations} == {
        (str(other.mentions[link.subject]), link.kind, str(other.mentions[link.object])) for link in other.relations
    }
    assert sorted((str(seen), seen.place) for seen in one.mentions if seen.place) == sorted(
        (str(seen), seen.place) for seen in other.mentions if seen.place
    )
    assert notes(prompt, everyday.words, everyday.lexicon) == told


def test_each_name_is_read_whatever_stands_before_it(everyday):
    for words, form in everyday.lexicon.forms.items():
        said = " ".join(words)
        mean = (f"two {said}",) if form.plural else (f"a {said}", f"a {said} left of a dog")
        for prompt in (said, *mean):
            request = parse(prompt, everyday.lexicon)
            assert request is not None and request.mentions[0].name == form.concept, prompt


def test_woods_are_no_logs(everyday):
    assert "'woods'" in refusal(everyday, "a bear in the woods") and "wood," not in refusal(everyday, "a bear in the woods")
    assert parse("two logs", everyday.lexicon).mentions[0].name == parse("wood", everyday.lexicon).mentions[0].name == "log"


def test_the_upper_one_of_solids_is_told_where_it_is_known(pipe):
    assert "above or below another thing is known to '--checkpoint everyday'" in refusal(pipe, "two balls, the top one is red")


@pytest.mark.parametrize("prompt", ["red " * 500, "red, " * 400, "style " * 333, "kissing " * 250])
def test_a_word_said_over_and_over_is_read_at_once(everyday, prompt):
    parse("a cat", everyday.lexicon)
    began = process_time()
    parse(prompt, everyday.lexicon)
    assert process_time() - began < 2


def test_a_solid_as_big_as_another_is_told_of_sizes(pipe):
    assert "sizes are 'small' and 'large'" in refusal(pipe, "a ball as big as a cube")


@pytest.mark.parametrize("prompt", ["me next to a dog", "you and a dog", "seaweed and fish"])
def test_what_is_not_known_is_not_left_out_in_silence(everyday, prompt):
    assert "has never seen" in refusal(everyday, prompt)


@pytest.mark.parametrize("prompt", ["- a cat\n- a dog", "1. a cat\n2. a dog", "draw: a cat. a dog"])
def test_lists_and_wishes_are_read(everyday, prompt):
    assert [one.name for one in parse(prompt, everyday.lexicon).mentions] == ["cat", "dog"]


def test_every_name_is_read_though_it_has_words_that_are_left_out(everyday):
    for words in everyday.lexicon.forms:
        said = without_undrawn(words_of(f"a dog and {' '.join(words)}", everyday.lexicon), everyday.lexicon)
        assert (said.left, said.instead) == ([], {}), words


@pytest.mark.parametrize("prompt", ["highly detailed, 4k", "a happy", "a cat and a hundred dogs"])
def test_what_is_left_out_leaves_something(everyday, prompt):
    refusal(everyday, prompt)


def test_two_words_for_one_colour_are_one_colour(everyday):
    (car,) = parse("a lime green car", everyday.lexicon).mentions
    assert (car.dye, car.color) == ("lime green", None)
    assert colour_of("navy blue") == colour_of("navy") != colour_of("blue")


@pytest.mark.parametrize("prompt", [
    "a cat left of a dog and the dog left of the cat",
    "a cat left of a dog. The dog is left of a mouse. The mouse is left of the cat",
    "a cat bigger than a dog and smaller than the dog",
])  # fmt: skip
def test_things_do_not_stand_in_a_circle(everyday, prompt):
    assert "contradicts itself" in refusal(everyday, prompt)


@pytest.mark.parametrize("prompt", [
    "a cat left of a dog and another cat right of the dog", "a cat behind a dog and the dog in front of the cat",
    "a cat left of a dog, the cat behind the dog",
])  # fmt: skip
def test_what_is_said_twice_is_no_contradiction(everyday, prompt):
    require_drawable(prompt, everyday.words, everyday.lexicon)


def test_what_is_listed_is_not_asked_for_twice(pipe, everyday):
    request = parse("There are three things: a red ball, a blue cube and a green can.")
    assert [mention.count for mention in request.mentions] == [1, 1, 1]
    assert len(parse("two animals: a cat and a dog", everyday.lexicon).mentions) == 2
    assert len(parse("two animals: a cat and a car", everyday.lexicon).mentions) == 3, "these are not two animals"


def test_refusals_offer_what_helps_and_nothing_else(pipe, everyday):
    for prompt in ("a ball that is not red", "no ball", "0 cats"):
        assert "what is not asked for is not drawn; it knows" in refusal(everyday, prompt)
    assert "'--checkpoint everyday' knows 'on top of'" in refusal(pipe, "a ball on top of a cube")
    assert "'--checkpoint everyday' knows 'in the top left corner'" in refusal(pipe, "a ball in the top left corner")
    for prompt in ("a red or blue ball", "a ball on grass", "all balls are red", "cubes in a row"):
        assert "may be" not in refusal(pipe, prompt)
    assert "one floor alone" in refusal(pipe, "a ball on a wooden floor")


@pytest.mark.parametrize(("prompt", "helps"), [
    ("running", "'next to'"), ("happy", "not what is 'happy'"), ("a row of trees", "five at most"),
    ("a crown inside a gift", "'behind'"), ("a woman wearing a flower", "'wearing a hat'"),
    ("a dolphin as heavy as a whale", "'bigger than'"), ("a hot air balloon", "'hot air balloon', but 'balloon' is known"),
    ("a cat dog", "put 'and' between them"), ("a 3 cm cat", "nothing is measured here"),
    ("a cat or a dog", "say which"), ("a cat in the corner", "'in the top left corner'"), ("a gren apple", "green"),
])  # fmt: skip
def test_refusals_say_what_can_be_asked_for(everyday, prompt, helps):
    assert helps in refusal(everyday, prompt)


def test_a_sign_between_words_is_quoted(everyday):
    assert refusal(everyday, "a cat / a dog").startswith("'/' is neither a word")
    require_drawable("a cat & a dog", everyday.words, everyday.lexicon)


def test_what_was_not_understood_may_be_known_elsewhere(tmp_path):
    made = Made(Wish("a cube on the left", 0, tmp_path / "a.png"), None, None, [], False, "on the left", True)
    assert "'on the left' is not understood; '--checkpoint everyday' knows 'on the left'" in made.shortcoming


@pytest.mark.parametrize(("prompt", "as_good_as", "left"), [
    ("could you draw me a cat?", "a cat", []),
    ("a painting of a cat", "a cat", ["'painting' is left out"]),
    ("draw me a 3d render of a cat", "a cat", ["'3d render' is left out"]),
    ("a painting", "a painting", []),
    ("a cat made of gold", "a gold cat", []),
    ("a gigantic cat", "a large cat", []),
    ("a bird on the left edge", "a bird on the left", []),
    ("a car on the far right", "a car on the right", []),
    ("a tiger chasing a lion", "a tiger next to a lion", ["'chasing' is drawn as next to"]),
    ("a cat looking at a bird", "a cat next to a bird", ["'looking at' is drawn as next to"]),
    ("a boy is running next to a dog", "a boy next to a dog", ["'running' is left out"]),
    ("two dogs running", "two dogs", ["'running' is left out"]),
    ("a fox jumps over a dog", "a fox over a dog", ["'jumps' is left out"]),
    ("a cat facing left", "a cat", ["'facing left' is left out"]),
    ("the dog is sleeping under the tree", "the dog is under the tree", ["'sleeping' is left out"]),
    ("a horse standing on a lawn", "a horse on a lawn", []),
    ("a horse standing", "a horse", ["'standing' is left out"]),
    ("a happy dog and an open book", "a dog and an open book", ["'happy' is left out"]),
    ("a dog. The dog is very happy.", "a dog", ["'very' is left out", "'happy' is left out"]),
    ("a dog that is old and a cat", "a dog and a cat", ["'old' is left out"]),
    ("a haunted house", "a house", ["'haunted' is left out"]),
    ("a photo of a cat, highly detailed, 4k", "a cat", ["'highly detailed' is left out", "'4k' is left out"]),
    ("masterpiece, best quality, a cat on a lawn", "a cat on a lawn",
        ["'masterpiece' is left out", "'best quality' is left out"]),
    ("cinematic shot of a castle, soft light", "a castle", ["'cinematic shot' is left out", "'soft light' is left out"]),
    ("a cat in the style of van gogh", "a cat", ["'in the style of van gogh' is left out"]),
    ("a low poly fox", "a fox", ["'low' is left out", "'poly' is left out"]),
    ("a fox logo", "a fox", ["'logo' is left out"]),
    ("a light green frog", "a light green frog", []),
    ("a snow-capped mountain and a vegetable", "a snow-capped mountain and a vegetable", []),
])  # fmt: skip
def test_ordinary_ways_of_asking(everyday, prompt, as_good_as, left):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert parse(prompt, everyday.lexicon) == parse(as_good_as, everyday.lexicon) is not None
    assert notes(prompt, everyday.words, everyday.lexicon) == left


@pytest.mark.parametrize("prompt", ["a dog with a bone", "the dog and the bone"])
def test_the_prior_reads_what_captions_say(everyday, prompt):
    read_as = read(prompt, everyday.words, everyday.lexicon).text
    assert "dog and" in read_as and "with" not in read_as and "the " not in read_as


def test_patterns_that_are_hardly_drawn_are_said(everyday):
    for prompt in ("a cat on tiles", "a car in front of a brick wall", "a cat in front of a striped red wall"):
        assert faint(prompt, everyday.words, everyday.lexicon), prompt
    assert faint("a cat on a lawn under a blue sky", everyday.words, everyday.lexicon) == []


def test_another_of_what_is_not_guessed(everyday):
    assert parse("a cat is in front of a house and another is behind it", everyday.lexicon) is None


def test_what_is_not_understood_is_quoted_as_it_was_put(everyday):
    assert parsed("a cat one black", everyday.lexicon).unread == "one black"


@pytest.mark.parametrize("prompt", ["", " ", "\n", "!", "?!", "/", "please"])
def test_a_prompt_without_words_is_refused(pipe, everyday, prompt):
    for one in (pipe, everyday):
        refusal(one, prompt)
        assert notes(prompt, one.words, one.lexicon) == []
        assert parse(prompt, one.lexicon) is None


@pytest.mark.parametrize("prompt", ["three balls and three cubes side by side", "a can, three balls and two cubes in a row"])
def test_no_part_of_too_many_is_a_row(pipe, everyday, prompt):
    for one in (pipe, everyday):
        assert parse(prompt, one.lexicon) is None
