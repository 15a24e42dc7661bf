"""Names in the caption language: what a lexicon knows is read, said, checked and refused as a person would expect, and the
solids mean what they meant."""
from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from random import Random

import pytest

from prompts import Lexicon, Mention, Relation, SceneRequest, notes, parse, read, require_known, unknown_words, write
from prompts.heldout import held_out, write_scene_for_training
from prompts.known import caption_words, require_drawable
from prompts.naming import Sort, Thing, Words, lexicon_of
from prompts.plurals import plural
from prompts.reading import singly
from prompts.scene import Scene
from prompts.scene_captions import Often, write_thing
from prompts.scene_captions import write as write_scene
from prompts.scene_negatives import negative
from prompts.suites import FOLDER, load
from prompts.suites.everyday import make, suites_of
from prompts.synonyms import split_words
from prompts.telling import tell
from prompts.vocabulary import COLORS, MORE_RELATIONS
from vle_gen.data.everyday import names
from vle_gen.data.surfaces import PAINTS
from vle_gen.data.words import everyday_words
from vle_gen.errors import UserError
from vle_gen.generation.dyeing import all_undyed

GROUNDS = (
    "a lawn", "sand", "snow", "paving stones", "hills", "a concrete floor", "a dark wooden floor", "a light wooden table",
    "a wooden floor", "a wooden wall", "a brick wall", "a white brick wall", "a grey brick wall", "a blue sky",
    "a blue sky with clouds", "a grey sky", "a night sky", "a sunset sky",
    *(f"{what.format(paint)}" for paint in PAINTS for what in (
        "a {} wall", "a striped {} wall", "a {} wall with dots", "{} tiles", "a {} carpet", "a {} floor",
        "a plain {} backdrop", "a checked {} tablecloth", "a {} checkered floor",
    )),
)  # fmt: skip
SOLID = (0, 1, 1, 2)
NO = (-1, -1, -1, -1)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """All names of the everyday pack."""
    return lexicon_of((Thing(one.name, one.aliases, one.category) for one in names()), GROUNDS, everyday_words())


def scene(random: Random, lexicon: Lexicon, most: int = 8) -> Scene:
    """Things from anywhere in the lexicon and some solids, of all sizes, standing, hanging and on one another."""
    count, members = random.randint(1, most), sorted(lexicon.kinds)
    sort = random.choice([None, None, "animal", "heart", "fruit", "car", "person"])
    pool = members if sort is None else sorted(lexicon.named[sort].members)
    things = [random.choice(pool) if random.random() < 0.85 else None for _ in range(count)]
    attributes = [NO if name else tuple(random.randrange(k) for k in (3, 2, 2, 8)) for name in things]
    attributes = [(*NO[:3], random.randrange(8)) if name and random.random() < 0.1 else row
                  for name, row in zip(things, attributes, strict=True)]  # fmt: skip
    box = [[random.uniform(0.05, 0.95), random.uniform(0.1, 0.9), w, w * random.uniform(0.5, 2)]
           for w in (random.choice((0.08, 0.15, 0.3)) for _ in things)]  # fmt: skip
    depth, lifted = sorted(random.uniform(5, 16) for _ in things), [random.random() < 0.3 for _ in things]
    if count > 1 and random.random() < 0.5:  # the first stands on the second
        box[0] = [box[1][0], box[1][1] - box[1][3] / 2 - box[0][3] / 2 + 0.03 * box[1][3], *box[0][2:]]
        depth[0], lifted[0] = depth[1] - 0.01, True
    background = tuple(random.sample(GROUNDS, random.randint(0, 2)))
    return Scene(tuple(things), tuple(attributes), tuple(map(tuple, box)), tuple(depth), tuple(lifted), background)


def said(request: SceneRequest) -> tuple:
    def called(mention: Mention) -> tuple:
        return str(mention), mention.place

    things = [called(mention) for mention in request.mentions]
    return (
        Counter(things),
        Counter((things[r.subject], r.kind, things[r.object]) for r in request.relations),
        request.background,
    )


def test_captions_are_true_and_read_back_as_written(lexicon):
    random, kinds, places, grounds = Random(0), Counter(), Counter(), 0
    for _ in range(1500):
        content, often = scene(random, lexicon), Often(whole=random.choice((0.5, 1.0)), synonyms=random.choice((0, 0.3)))
        caption = write_scene(content, lexicon, random, often)
        request = parse(caption.text, lexicon)
        assert request is not None, caption.text
        assert said(request) == said(caption.request), caption.text
        assert content.check(request, lexicon) == [], caption.text
        assert unknown_words(caption.text, lexicon=lexicon) == [], caption.text
        if request == all_undyed(request):  # else "the car" may mean others too, where colours that are painted are left out
            assert parse(read(caption.text, lexicon=lexicon).text, lexicon) == request, caption.text
        kinds.update(relation.kind for relation in request.relations)
        places.update(mention.place for mention in request.mentions)
        grounds += bool(request.background)
    assert min(kinds[kind] for kind in MORE_RELATIONS) > 10 and len(places) == 10 and grounds > 300


def test_captions_know_which_words_speak_of_what(lexicon):
    random = Random(3)
    for _ in range(300):
        caption = write_scene(scene(random, lexicon), lexicon, random)
        for span in caption.spans:
            (alone,) = parse(caption.text[span.start : span.end].removeprefix("another "), lexicon).mentions
            meant = caption.request.mentions[span.mention]
            assert alone.place in (None, meant.place)
            assert all(a in (None, b) for a, b in zip(alone.attributes, meant.attributes, strict=True)), caption
            assert alone.name is None or alone.name in lexicon.above(meant.name), caption


def test_captions_keep_to_their_words(lexicon):
    random, words = Random(5), caption_words(lexicon)
    for _ in range(300):
        assert set(split_words(write_scene(scene(random, lexicon), lexicon, random).text)) <= words | set(",.;")
    texts = [write_thing(name, lexicon, random).text for name in ("poodle", "red apple", "cherries") for _ in range(100)]
    meant = {mention.name for text in texts for mention in parse(text, lexicon).mentions}
    assert meant == {"poodle", "dog", "animal", "apple", "cherries", "fruit", "food"}


def test_a_scene_is_told_and_read_back(lexicon):
    random = Random(8)
    for _ in range(300):
        content = scene(random, lexicon).colored(lexicon)
        called = [name and lexicon.kinds[name][0] for name in content.names]
        telling = tell(content.attributes, content.box, content.depth, called)
        assert content.check(parse(telling.text, lexicon), lexicon, exact=True) == [], telling.text


def test_negatives_are_false(lexicon):
    random, made = Random(2), 0
    for _ in range(400):
        content = scene(random, lexicon)
        wrong = negative(write_scene(content, lexicon, random), content, lexicon, random)
        if wrong is not None:
            made += 1
            assert content.check(parse(wrong.text, lexicon), lexicon), wrong.text
    assert made > 350


def test_solids_mean_what_they_meant(lexicon):
    random = Random(4)
    for _ in range(600):
        attributes = [[random.randrange(k) for k in (3, 2, 2, 8)] for _ in range(random.randint(1, 6))]
        box = [[random.uniform(0.1, 0.9), random.uniform(0.3, 0.9), 0.1, 0.1] for _ in attributes]
        text = write(attributes, box, sorted(random.uniform(6, 16) for _ in attributes), random).text
        assert parse(text, lexicon) == parse(text)
    for suite in load():
        assert all(parse(prompt, lexicon) == parse(prompt) for prompt in suite.prompts)
    for prompt in ("a ball on the left of a box", "a wooden cuboid and an olive orb", "a bigger cube on the floor"):
        assert parse(prompt, lexicon) == parse(prompt) is not None


def test_without_a_lexicon_names_are_refused():
    assert parse("a cat") is None and parse("a ball at the top") is None and parse("a ball bigger than a cube") is None
    with pytest.raises(UserError, match="never seen the word 'cat': it knows cubes, spheres and cylinders, their colors"):
        require_known("a cat left of a cube")


def named(name: str, **values) -> Mention:
    return Mention(name=name, **values)


@pytest.mark.parametrize(("prompt", "mentions", "relations", "background"), [
    ("a castle left of a red apple", [named("castle"), named("apple", color=1)], [(0, "left of", 1)], ()),
    ("two kittens and a puppy", [named("cat", count=2), named("dog")], [], ()),
    ("a hot dog, ice cream and a polar bear", [named("hot dog"), named("ice cream"), named("polar bear")], [], ()),
    ("some vehicles", [named("vehicle", count=2, open=True)], [], ()),
    ("3 mice, two sheep, knives",
     [named("mouse", count=3), named("sheep", count=2), named("knife", count=2, open=True)], [], ()),
    ("an orange left of an orange", [named("orange"), named("orange")], [(0, "left of", 1)], ()),
    ("a blue cat", [named("cat", dye="blue")], [], ()),
    ("a small grey cat and a large one", [named("cat", size=0, dye="gray"), named("cat", size=1)], [], ()),
    ("a rose smaller than a red ball", [named("rose"), Mention(1, color=1)], [(0, "smaller than", 1)], ()),
    ("a cat bigger than a house", [named("cat"), named("house")], [(0, "bigger than", 1)], ()),
    ("a cat in the top left corner and a dog on the right of the picture",
     [named("cat", place="top left"), named("dog", place="right")], [], ()),
    ("at the bottom there is a cat", [named("cat", place="bottom")], [], ()),
    ("a cat on the left left of a dog in the middle",
     [named("cat", place="left"), named("dog", place="middle")], [(0, "left of", 1)], ()),
    ("the cat is in the center and the dog is on a car", [named("cat", place="middle"), named("dog"), named("car")],
     [(1, "on top of", 2)], ()),
    ("a bird above a tree on a lawn under a blue sky", [named("bird"), named("tree")], [(0, "above", 1)], ("lawn", "blue sky")),
    ("on a wooden floor, a cube and a cat in front of a brick wall", [Mention(0), named("cat")], [],
     ("wooden floor", "brick wall")),
    ("a car with a bird on it", [named("car"), named("bird")], [(1, "on top of", 0)], ()),
    ("a dog under a snow cloud", [named("dog"), named("snow cloud")], [(0, "below", 1)], ()),
    ("a small dog and a big one", [named("dog", size=0), named("dog", size=1)], [], ()),
    ("a cat sitting next to the dog. the animal is behind a can", [named("cat"), named("dog"), Mention(2)],
     [(0, "next to", 1), (0, "behind", 2)], ()),
    ("a big car parked in front of a house, a balloon floating above it",
     [named("car", size=1), named("house"), named("balloon")], [(0, "in front of", 1), (2, "above", 0)], ()),
    ("a bird flying over a tree", [named("bird"), named("tree")], [(0, "above", 1)], ()),
    ("a cat much bigger than a house", [named("cat"), named("house")], [(0, "bigger than", 1)], ()),
    ("a flying disc and a sleeping face", [named("frisbee"), named("sleeping face")], [], ()),
    ("sun behind clouds", [named("sun behind a cloud")], [], ()),  # and no several suns
    ("a slice of pizza and a pair of glasses", [named("pizza"), named("glasses")], [], ()),
    ("a cup of coffee between two loaves of bread", [named("coffee"), named("bread", count=2)], [(0, "between", 1)], ()),
    ("a t-shirt, a jack-o-lantern, a man's shoe", [named("t-shirt"), named("jack-o-lantern"), named("man's shoe")], [], ()),
    ("a dog in the meadow with hills in the background", [named("dog")], [], ("lawn", "hills")),
    ("a metal cat", [named("cat")], [], ()),  # which is said to be left out
    ("an empty scene on a lawn", [], [], ("lawn",)),
    ("a wooden floor", [], [], ("wooden floor",)),
    ("a lawn with a cat", [named("cat")], [], ("lawn",)),
    ("a picture of a brick wall, a dog left of a cat", [named("dog"), named("cat")], [(0, "left of", 1)], ("brick wall",)),
])
def test_parse(lexicon, prompt, mentions, relations, background):
    request = parse(prompt, lexicon)
    if mentions is None:
        assert request is None
    else:
        assert request == SceneRequest(tuple(mentions), tuple(Relation(*r) for r in relations), background)


def test_prompts_are_read_into_the_words_of_captions(lexicon):
    texts = {
        "two kittens beneath a  BIKE": "two cats below a bicycle",
        "a cherry, an aeroplane in the upper left of the image": "cherries, an airplane in the top left corner",
        "a cute bunny in a meadow": "a rabbit on a lawn",
        "a crimson automobile to the right": "an automobile on the right",
        "a herd of big cows, several boxes": "some big cows, some boxes",
        "a bunch of grapes and a bunch of bananas": "some grapes and some bananas",
        "a stack of books, a pile of cats": "a stack of books, some cats",
    }
    assert {prompt: read(prompt, lexicon=lexicon).text for prompt in texts} == texts
    assert notes("a cute crimson cube", lexicon=lexicon) == ["'crimson' is drawn as red", "'cute' is left out"]
    between = read("a cat between two dogs", lexicon=lexicon)
    assert "between" not in between.text and len(between.order.relations) == 2


@pytest.mark.parametrize(("prompt", "message"), [
    ("a giraff", "nearest to 'giraff': giraffe; it knows 1150 things"),
    ("a vulture on a car", "'vulture'; nearest to 'vulture': bird, "),
    ("a spaceship", "nearest to 'spaceship': rocket, ship"),
    ("a cat and a meadow", "'meadow' is a background: say 'on a lawn'"),
    ("a qwxz", "the word 'qwxz': it knows"),
])
def test_what_has_no_name_is_refused_with_the_nearest(lexicon, prompt, message):
    with pytest.raises(UserError) as fault:
        require_known(prompt, lexicon=lexicon)
    assert message in str(fault.value) and "\n" not in str(fault.value)
    require_known("a giraffe and two cubes on a lawn", lexicon=lexicon)
    require_known("a giraffe", lexicon.words, lexicon)


@pytest.mark.parametrize(
    ("prompt", "odd"),
    [
        ("a cat on a lawn on a wooden floor", ("on a lawn", "on a wooden floor")),
        ("a wooden floor with a cat on a lawn", ("on a wooden floor", "on a lawn")),
        ("a cat under a blue sky under a night sky", ("under a blue sky", "under a night sky")),
    ],
)
def test_backgrounds_that_exclude_each_other_are_refused(lexicon, prompt, odd):
    with pytest.raises(UserError, match=f"asks for '{odd[0]}' and '{odd[1]}', and a picture shows one of them"):
        require_drawable(prompt, lexicon.words, lexicon)


@pytest.mark.parametrize("prompt", ["a cat on a lawn under a blue sky", "a cat on a floor on a wooden floor"])
def test_backgrounds_that_go_together_are_drawn(lexicon, prompt):
    require_drawable(prompt, lexicon.words, lexicon)


def test_on_a_stack_is_on_one_of_it(lexicon):
    boxes = ((0.5, 0.4, 0.2, 0.2), (0.5, 0.6, 0.2, 0.2), (0.5, 0.8, 0.2, 0.2))
    stack = Scene(("teapot", "blue book", "green book"), (NO,) * 3, boxes, (8.0,) * 3)
    assert stack.check(parse("a teapot on top of books", lexicon), lexicon) == []
    beside = Scene(stack.names, (NO,) * 3, ((0.1, 0.8, 0.2, 0.2), *boxes[1:]), (8.0,) * 3)
    assert beside.check(parse("a teapot on top of books", lexicon), lexicon) != []


@pytest.mark.parametrize("prompt", ["a", "large red", "left of", "the"])
def test_what_names_nothing_is_refused(lexicon, prompt):
    for known in (None, lexicon):
        with pytest.raises(UserError, match=f"'{prompt}' names nothing to draw: add a thing"):
            require_drawable(prompt, lexicon=known)
    for drawn in ("a cube", "nothing", "a lawn", "two cats", "ball left of"):
        require_drawable(drawn, lexicon=lexicon)


def test_check_names_what_fails(lexicon):
    box = ((0.2, 0.2, 0.1, 0.1), (0.7, 0.7, 0.3, 0.3), (0.7, 0.52, 0.1, 0.1))
    content = Scene(("cat face", "red apple", None), (NO, NO, SOLID), box, (8.0, 8.0, 7.99), (), ("a white brick wall",))

    def fails(prompt):
        return content.check(parse(prompt, lexicon), lexicon)

    for true in ("a kitten", "an animal left of a red fruit", "a cat in the top left corner", "a blue cube on an apple",
                 "three things", "a cat smaller than an apple", "a cat at the top", "an apple in front of a wall",
                 "a small cat", "an apple at the bottom in front of a white wall"):  # fmt: skip
        assert fails(true) == [], true
    assert fails("a cat above an apple") == ["cat not above apple"]
    assert fails("two things") == ["3 instead of 2 objects"]
    assert fails("a dog") == ["no dog"]
    assert fails("a green apple") == ["no green apple"]
    assert fails("a cat in the middle") == ["cat not in the middle"]
    assert fails("a cat on an apple") == ["cat not on top of apple"]
    assert fails("a cat bigger than an apple") == ["cat not bigger than apple"]
    assert fails("a cat in front of a red wall") == ["no red wall"]
    assert fails("a large cat") == ["no large cat"]
    assert fails("two animals") == ["1 instead of 2 animals"]
    assert content.check(parse("a cat, an apple", lexicon), lexicon, exact=True) == ["1 object more than asked for"]


def test_names_of_a_pack_of_ones_own():
    things = Thing("my mug", ("favourite cup",), "crockery"), Thing("blue kite"), Thing("red ball")
    lexicon = lexicon_of(things, ("kitchen table",))
    assert parse("two my mugs and a favourite cup", lexicon).mentions == (named("my mug", count=2), named("my mug"))
    assert parse("some crockery on a kitchen table", lexicon) == SceneRequest((named("crockery"),), (), ("kitchen table",))
    assert parse("a blue kite", lexicon).mentions == (named("kite", color=COLORS.index("blue")),)
    assert parse("a red ball", lexicon) == parse("a red ball"), "names of solids are theirs"


def test_a_lexicon_is_a_file(lexicon, tmp_path):
    path = lexicon.save(tmp_path / "lexicon.json")
    assert Lexicon.load(path) == lexicon and path.stat().st_size < 120_000
    whole = '{"format": "vlegen lexicon 1", "concepts": [1]}'
    for text in ("{", '{"format": "other"}', whole.replace(', "concepts": [1]', ""), whole):
        path.write_text(text)
        with pytest.raises(UserError, match="lexicon.json is no lexicon"):
            Lexicon.load(path)


def test_what_the_words_speak_of_is_there(lexicon):
    words, known = everyday_words(), {one.name for one in names()}
    assert set(words.say) <= known
    patterns = [pattern for sort in words.sorts.values() for pattern in sort.of]
    assert [p for p in patterns if p not in lexicon.named and not any(fnmatchcase(name, p) for name in known)] == []
    assert [name for name in words.near.values() if name not in lexicon.named] == []
    assert [name for name in (*words.sorts, *words.heads) if name not in lexicon.named] == []
    assert all(lexicon.kinds_of(name) for name in known), "each can be said"


def test_what_falls_under_what(lexicon):
    assert lexicon.kinds["poodle"] == ("poodle", "dog", "animal")
    assert lexicon.named["apple"].members == {"red apple", "green apple"}
    assert "hot dog" not in lexicon.named["dog"].members and "teddy bear" not in lexicon.named["bear"].members
    assert lexicon.above("poodle") == {"poodle", "dog", "animal"} and lexicon.above(None) == frozenset()


@pytest.mark.parametrize(("one", "many"), [
    ("knife", "knives"), ("mouse", "mice"), ("sheep", "sheep"), ("person", "people"), ("glass of milk", "glasses of milk"),
    ("woman scientist", "women scientists"), ("hot dog", "hot dogs"), ("baby", "babies"), ("bus", "buses"), ("jeans", "jeans"),
    ("leaf in the wind", "leaves in the wind"), ("octopus", "octopuses"), ("toy", "toys"), ("cherries", "cherries"),
])  # fmt: skip
def test_plurals(one, many):
    assert plural(one) == many


def test_everyday_prompts_are_held_out_and_can_be_read(lexicon):
    suites = load(FOLDER / "everyday")
    assert sum(len(suite.prompts) for suite in suites) >= 500 and len(suites) == 9
    for suite in suites:
        assert len(set(suite.prompts)) == len(suite.prompts)
        for prompt in suite.prompts:
            assert held_out(prompt) and parse(prompt, lexicon) is not None, prompt
    assert make("3_relation_of_2", lexicon) == make("3_relation_of_2", lexicon) != make("3_relation_of_2", lexicon, 7)
    few = lexicon_of([Thing("cat"), Thing("dog")])
    with pytest.raises(UserError, match="2 names are too few"):
        suites_of(few)


def test_captions_for_training_are_never_held_out(lexicon):
    random = Random(6)
    texts = [write_scene_for_training(scene(random, lexicon, 2), lexicon, random).text for _ in range(400)]
    assert not any(map(held_out, texts))


def test_each_of_several_is_said_to_stand_between(lexicon):
    order = singly(read("two cats between a dog and a castle", caption_words(lexicon), lexicon), lexicon).order
    cats = {k for k, one in enumerate(order.mentions) if one.name == "cat"}
    assert len(cats) == 2 and {relation.subject for relation in order.relations} == cats
    assert {relation.kind for relation in order.relations} == {"left of", "right of"}


def test_reading_and_writing_take_few_calls(lexicon, calls_of):
    """On a quiet core 8,000 captions are written in a second."""
    random, texts = Random(0), []
    scenes = [scene(random, lexicon) for _ in range(200)]
    write_scene(scenes[0], lexicon, random), parse("a cat", lexicon)
    assert calls_of(lambda: texts.extend(write_scene(one, lexicon, random).text for one in scenes)) < 3000 * len(scenes)
    assert calls_of(lambda: [parse(text, lexicon) for text in texts]) < 15_000 * len(texts)


def test_sorts_and_words_of_ones_own():
    words = Words(say={"felis": ("cat", "kitty")}, sorts={"pet": Sort(("felis", "dog"))}, near={"lynx": "cat"})
    lexicon = lexicon_of([Thing("felis"), Thing("dog")], (), words)
    assert parse("two kitties and a pet", lexicon).mentions == (named("cat", count=2), named("pet"))
    assert lexicon.nearest("lynx") == ["cat", "dog"]
