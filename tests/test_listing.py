"""What a checkpoint can draw is listed and looked up, and words that it lacks are met with the nearest names."""
from __future__ import annotations

import json

import pytest
import torch

import vle_gen
from prompts import parse
from prompts.known import require_known
from prompts.lexicon import Lexicon
from prompts.listing import entries, of_sort, search
from prompts.naming import Thing, lexicon_of
from vle_gen.data.everyday import names
from vle_gen.data.words import everyday_words
from vle_gen.errors import UserError
from vle_gen.generation.chosen_places import Place
from vle_gen.generation.drawing import Order, written
from vle_gen.prior.sampling import SampledTokens


@pytest.fixture(scope="module")
def checkpoint():
    """The shipped checkpoint that knows everyday things."""
    return vle_gen.load("everyday")


@pytest.fixture(scope="module")
def seen() -> Lexicon:
    """What training on the everyday pack may know: all but what is held out."""
    things = [Thing(one.name, one.aliases, one.category) for one in names() if not one.held_out]
    return lexicon_of(things, ("a lawn", "a blue sky"), everyday_words())


def test_all_names_are_listed_with_their_sorts(checkpoint):
    listed = entries(checkpoint.words, checkpoint.lexicon)
    assert len({one.name for one in listed}) == len(listed) > 1100
    of = {one.name: one for one in listed}
    assert "kitten" in of["cat"].also and of["cat"].sorts == ("animal",) and of["cat"].things == 3
    assert of["hot dog"].things == 1 and "dog" not in of["hot dog"].sorts
    assert of["guide dog"].sorts == ("dog", "animal"), "the most special first"
    assert of["cube"].sorts == ("shape",) and of["gray"].also == ("grey",)
    assert of["on a lawn"].sorts == ("background",) and "meadow" in of["on a lawn"].also
    for one in listed:
        require_known(one.name, checkpoint.words, checkpoint.lexicon)


def test_names_are_found_by_any_word_for_them(checkpoint):
    known, lexicon = checkpoint.words, checkpoint.lexicon
    listed = entries(known, lexicon)

    def found(text):
        return [one.name for one in search(listed, text, known, lexicon)]

    assert found("kitten") == found("kittens") == ["cat"]
    assert found("dogs")[0] == found("the puppy")[0] == "dog" and "hot dog" in found("dog")
    assert found("meadow") == ["on a lawn"] and found("crimson")[0] == "red"
    assert "cow" in {one.name for one in of_sort(listed, "animals", lexicon)}
    assert {"blue", "gray"} < {one.name for one in of_sort(listed, "color", lexicon)}
    with pytest.raises(UserError, match="'animl' is no sort of thing here: expected one such as animal"):
        of_sort(listed, "animl", lexicon)
    with pytest.raises(UserError, match="nothing here is called 'giraf'; nearest to 'giraf': giraffe"):
        found("giraf")


def test_names_on_the_command_line(vlegen, tmp_path):
    ran = vlegen("names", "kitten", "--checkpoint", "everyday", "--json", tmp_path / "cat.json")
    assert (ran.status, ran.err) == (0, "") and "kitty" in ran.out and "1 name (1 animal)" in ran.out
    (cat,) = json.loads((tmp_path / "cat.json").read_text())
    assert cat["name"] == "cat" and cat["sorts"] == ["animal"] and "kitten" in cat["also"]
    ran = vlegen("names")
    assert ran.status == 0 and "cylinder" in ran.out and "15 names (8 color, 3 shape" in ran.out
    ran = vlegen("names", "crimson")
    assert ran.status == 0 and "1 name (1 color)" in ran.out and "'crimson' is drawn as red" in ran.err
    ran = vlegen("names", "an", "elephant")
    assert ran.status == 2 and "nothing here is called 'an elephant'" in ran.err and "everyday" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("prompt", "message"), [
    ("an elephant", "nearest to 'elephant': hippopotamus"),
    ("three elephants", "nearest to 'elephants': hippopotamus"),
    ("a pengiun", "nearest to 'pengiun': bird"),
    ("a kittn", "nearest to 'kittn': kitten;"),
    ("two giraffs", "nearest to 'giraffs': giraffe;"),
    ("12 cats", "'12'; counts go up to nine;"),
    ("ten cats", "'ten'; counts go up to nine;"),
])
def test_what_was_never_drawn_is_refused_with_the_nearest(seen, prompt, message):
    with pytest.raises(UserError) as fault:
        require_known(prompt, lexicon=seen)
    assert message in str(fault.value) and "vlegen names" in str(fault.value)


def test_what_is_held_out_has_a_neighbour_that_is_known(seen):
    words = everyday_words().near
    held = {one.name for one in names() if one.held_out} & words.keys()
    assert {"elephant", "penguin", "panda", "shark", "guitar"} <= held
    assert all(words[name] in seen.named for name in held)


def test_an_object_is_chosen_by_where_it_is(checkpoint, picture):
    tokens = checkpoint.encode(picture)  # a red cube in the middle, a brown one on the right, a ball and a cylinder on the left
    labels = checkpoint.name_tokens(tokens)
    assert labels[checkpoint.find(tokens, "the cube on the right")].endswith("brown rubber cube")
    assert labels[checkpoint.find(tokens, "the cube in the middle")].endswith("red metal cube")
    assert labels[checkpoint.find(tokens, "the ball on the left")].endswith("sphere")
    with pytest.raises(UserError, match="'the ball on the right' fits no token"):
        checkpoint.find(tokens, "the ball on the right")
    with pytest.raises(UserError, match="'the cube' fits tokens"):
        checkpoint.find(tokens, "the cube")
    assert labels[checkpoint.find(tokens, "the leftmost cube")].endswith("red metal cube")
    assert labels[checkpoint.find(tokens, "the rightmost one")].endswith("brown rubber cube")
    assert checkpoint.find(tokens, "the rightmost") == checkpoint.find(tokens, "The rightmost object")
    assert checkpoint.find(tokens, "the biggest cube") != checkpoint.find(tokens, "the smallest cube")


def test_several_of_a_name_are_said_one_by_one(checkpoint):
    known, lexicon = checkpoint.words, checkpoint.lexicon
    for prompt, things in (("three cats", ["cat"] * 3), ("apples and a red ball", ["apple", "apple", None]),
                           ("two cows left of a house", ["cow", "house", "cow"])):  # fmt: skip
        order = Order.of(prompt, (), known, lexicon)
        assert [one.name for one in order.written] == things, order.text
        assert order.request == parse(prompt, lexicon), "what is checked is what was asked for"
    assert Order.of("three red cubes", (), known, lexicon).text == "three red cubes", "of solids scenes hold many"
    place = Place.read("cat@0.8,0.5")
    assert Order.of("two cats", (place,), known, lexicon).turns == (1,)
    drawn = checkpoint("three apples", generator=_seeded(0), tries=8)
    assert drawn.problems == [[]] and len(drawn.tokens[0]) == 4


def test_what_may_be_meant_is_what_others_stand_by(checkpoint):
    tokens = checkpoint("an apple", generator=_seeded(0), tries=1).tokens[0]
    index = checkpoint.find(tokens, "the apple")
    added = checkpoint.add(tokens, "a house left of the apple", generator=_seeded(0), tries=4)
    assert added.where[0, -1, 0] < tokens.where[0, index, 0]
    with pytest.raises(UserError, match="speaks of what is not in the picture, 'castle'"):
        checkpoint.add(tokens, "a house left of the castle")
    with pytest.raises(UserError, match="asks for a background .lawn"):
        checkpoint.add(tokens, "a house on a lawn")


def _seeded(seed: int):
    import torch

    return torch.Generator().manual_seed(seed)


def test_drawn_backgrounds_have_no_grain(checkpoint):
    """How much neighbours in a row of the scene's layer differ, in levels: numbers drawn at random would show as a weave."""
    prompts = ["a castle", "a cat on a wooden floor", "a robot under a night sky", "three owls", "a cow on a lawn"]
    drawn = checkpoint(prompts, 2, torch.Generator().manual_seed(0), tries=1).tokens
    layers = checkpoint.tokenizer.network.background_decoder(torch.cat([one.what[0, :1] for one in drawn])).detach()
    assert 255 * layers.diff(dim=3).abs().mean() < 1.3
    assert layers.flatten(1).std(1).mean() > 0.05 and layers.mean((1, 2, 3)).std() > 0.05


def test_what_was_drawn_is_named_by_what_shows_of_it(checkpoint):
    """A castle is one by its token and by what is read again from the picture; right behind a ship by its token alone."""
    castle, ship = checkpoint(["a castle", "a ship"], 1, torch.Generator().manual_seed(0), tries=1).tokens
    for told_by in ("tokens", "picture"):
        assert checkpoint.names(castle, told_by=told_by).text == ["castle"]
    where = torch.cat([castle.where[:, :1], castle.where[:, 1:2], castle.where[:, 1:2]], 1)
    what = torch.cat([castle.what[:, :1], ship.what[:, 1:2], castle.what[:, 1:2]], 1)
    depth, kind = torch.tensor([[1e3, 6.0, 9.0]]), torch.tensor([[0, 1, 1]], dtype=torch.uint8)
    drawn = SampledTokens(what, where, depth, kind, torch.tensor([3]), torch.arange(3)[None])
    hidden = written(checkpoint, drawn, 0, castle.size)
    assert checkpoint.names(hidden).text == ["ship", "castle"]
    assert checkpoint.names(hidden, told_by="picture").text[1] != "castle"
