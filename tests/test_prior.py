"""The prior on a tiny random network: seeds, cache, stop, guidance, places, what trains, and saving."""
from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest
import torch

from prompts.satisfied import CLEAR, holds
from prompts.vocabulary import RELATIONS
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.prior.network import ANY, BACKGROUND, PriorNetwork, prior_loss
from vle_gen.prior.places import PlaceCode
from vle_gen.prior.plan import TextPlan
from vle_gen.prior.sampling import Given, Guidance, SampledTokens, sample
from vle_gen.prior.sizes import PriorSizes
from vle_gen.training.layouts import Layouts
from vle_gen.training.prior import CaptionedTokens, WhatTable, text_order, text_ties, write_captions
from vle_gen.training.texts import SolidTexts

WIDTH, WHAT = 12, 6
FIELDS = ("what", "where", "depth", "kind", "length")


def make_network(seed: int = 0, around_codes: bool = False) -> PriorNetwork:
    torch.manual_seed(seed)
    sizes = PriorSizes(
        width=32, blocks=2, heads=4, text_blocks=1, flow_width=32, flow_blocks=1, bins=32, codes=16, max_tokens=6,
        neighbours=True, around_codes=around_codes,
    )
    network = PriorNetwork(sizes, WIDTH, WHAT).eval()
    for parameter in network.parameters():  # some layers begin as zero: here every one must matter
        torch.nn.init.normal_(parameter, std=0.2)
    network.stop.weight.data.mul_(0.1)
    network.stop.bias.data.fill_(-1.5)
    network.fit_codes(torch.randn(9, WHAT), 1 + 2 * torch.randn(40, WHAT))
    return network


@pytest.fixture(scope="module")
def network() -> PriorNetwork:
    return make_network()


@pytest.fixture(scope="module")
def texts() -> tuple[torch.Tensor, torch.Tensor]:
    """Features of three texts of 5, 3 and 1 words."""
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]])
    return torch.randn(3, 5, WIDTH, generator=torch.Generator().manual_seed(1)), mask


def draw(network, texts, seed=0, **options) -> SampledTokens:
    return sample(network, *texts, torch.Generator().manual_seed(seed), flow_steps=4, **options)


def same(a: SampledTokens, b: SampledTokens, tolerance: float = 0.0) -> bool:
    return all(
        getattr(a, f).shape == getattr(b, f).shape
        and torch.allclose(getattr(a, f).float(), getattr(b, f).float(), atol=tolerance, rtol=tolerance)
        for f in FIELDS
    )


def test_codes_keep_their_meaning_when_what_changes():
    random = torch.Generator().manual_seed(2)
    kinds = torch.randn(9, WHAT, generator=random), 1 + 2 * torch.randn(40, WHAT, generator=random)
    network = make_network()
    network.fit_codes(*kinds)
    stds, means = network.what_std.clone(), network.what_mean.clone()
    objects = torch.full((len(kinds[1]),), ANY)
    code = network.code_of((kinds[1] - means[1]) / stds[1], objects)
    other = tuple(3 - 5 * kind.flip(1) for kind in kinds)  # another tokenizer's numbers for the same things
    network.follow_codes(kinds, other)
    again = network.code_of((other[1] - network.what_mean[1]) / network.what_std[1], objects)
    assert (code == again).float().mean() > 0.9  # a few lie between two centres, which are means now


def test_codes_tell_apart_what_is_seen():
    random = torch.Generator().manual_seed(2)
    colour, noise = torch.randint(0, 2, (60, 1), generator=random), torch.randn(60, WHAT - 1, generator=random)
    objects = torch.cat([colour + 0.01 * noise[:, :1], noise], 1)
    seen = torch.zeros(WHAT, WHAT)
    seen[0, 0] = 1.0  # the decoder shows the first number alone
    network = make_network()
    network.fit_codes(torch.randn(9, WHAT, generator=random), objects, (torch.eye(WHAT), seen))
    code = network.code_of((objects - network.what_mean[1]) / network.what_std[1], torch.full((60,), ANY))
    assert not set(code[colour[:, 0] == 0].tolist()) & set(code[colour[:, 0] == 1].tolist())


def test_no_code_is_of_two_sorts():
    random = torch.Generator().manual_seed(2)
    objects, sorts = torch.randn(60, WHAT, generator=random), torch.arange(60) % 4 + 1
    network = make_network()
    network.fit_codes(torch.randn(9, WHAT, generator=random), objects, sorts=sorts)
    standard = (objects - network.what_mean[1]) / network.what_std[1]
    code = network.code_of(standard, sorts)
    assert torch.equal(network.code_sort[code], sorts)
    assert (network.code_sort[network.code_of(standard, torch.full((60,), ANY))] != BACKGROUND).all()
    assert (network.code_sort[network.code_of(standard, torch.full((60,), BACKGROUND))] == BACKGROUND).all()
    with pytest.raises(UserError, match="model.codes leaves 15 codes for objects: expected 16"):
        network.fit_codes(torch.randn(9, WHAT), objects, sorts=torch.arange(60) % 16 + 1)


def test_places_are_told_inexactly():
    code = PlaceCode((4.0, 20.0), 128)
    where, depth = torch.tensor([[0.4, 0.6, 0.3, 0.2]]).expand(500, 4), torch.full((500,), 9.0)
    place = code.encode(where, depth)
    assert code.blurred(place, 0.0, torch.Generator()) is place
    told, far = code.decode(code.blurred(place, 0.06, torch.Generator().manual_seed(0)))
    assert (told[:, 0] - 0.4).std() == pytest.approx(0.02, rel=0.2)
    assert (told[:, 2:].prod(1).sqrt().log()).std() == pytest.approx(0.06, rel=0.2)
    assert far.log().std() == pytest.approx(0.06, rel=0.2)


def test_layouts_stand_free_and_in_perspective(sprites):
    bank = SpriteBank.load(sprites)
    scenes = Layouts(bank, 2, 4, jitter=0.15)(300, torch.Generator().manual_seed(0))
    present = scenes.present
    assert set(present.sum(1).tolist()) <= {1, 2, 3, 4} and (present.sum(1) >= 2).float().mean() > 0.9
    box, own = scenes.box[present], bank.box[scenes.sprite[present]]
    assert ((box[:, :2] > 0) & (box[:, :2] < 1)).all()
    assert (box[:, 0] - own[:, 0]).std() > 0.05  # not where the pack has them
    grown = box[:, 2] / own[:, 2]
    assert torch.allclose(scenes.depth[present] * grown, bank.depth[scenes.sprite[present]], rtol=1e-4)
    assert torch.corrcoef(torch.stack([box[:, 1] - own[:, 1], grown]))[0, 1] > 0.8  # lower is nearer and larger
    depth = torch.where(present, scenes.depth, torch.inf)
    assert (depth[:, 1:] >= depth[:, :-1]).all()
    again = Layouts(bank, 2, 4, jitter=0.15)(300, torch.Generator().manual_seed(0))
    assert torch.equal(again.box, scenes.box)
    if len(bank.members) > 1:
        rigs = torch.where(present, bank.rig[scenes.sprite], -1)
        apart = Layouts(bank, 2, 4, mixed=0.0)(50, torch.Generator().manual_seed(0))
        assert (rigs.amax(1) != torch.where(present, rigs, 99).amin(1)).any()
        assert (torch.where(apart.present, bank.rig[apart.sprite] == apart.rig[:, None], True)).all()


def test_a_seed_means_the_same_tokens_and_another_seed_others(network, texts):
    assert same(draw(network, texts, 3), draw(network, texts, 3))
    assert not same(draw(network, texts, 3), draw(network, texts, 4))


@pytest.mark.parametrize("guidance", [Guidance(1.0, 1.0), Guidance(2.5, 1.0), Guidance(2.0, 3.0)])
def test_the_cache_changes_nothing(network, texts, guidance):
    cached = draw(network, texts, guidance=guidance)
    assert same(cached, draw(network, texts, guidance=guidance, use_cache=False), 1e-3)


def test_sampling_sees_what_training_sees(network, texts):
    """The hidden states of a whole list at once are those that sampling meets one by one."""
    drawn = draw(network, texts, guidance=Guidance(1.0, 1.0))
    what, place = network.standardise(drawn.what), network.code.encode(drawn.where, drawn.depth)
    text = network.read_text(*texts)
    with torch.no_grad():
        whole, _ = network(what, place, text)
        part, _ = network(what[:, :2], place[:, :2], text)
    assert torch.allclose(whole[:, :2], part, atol=1e-4)
    moved = place.clone()
    moved[:, 1] += 0.2
    with torch.no_grad():
        after, _ = network(what, moved, text)
    assert torch.equal(after[:, 0], whole[:, 0]) and not torch.allclose(after[:, 1], whole[:, 1], atol=1e-3)


def test_places_are_read_one_by_one_as_in_training(network, texts):
    """Each number of a place hangs on those before it and on the places of earlier things, not on later ones."""
    random = torch.Generator().manual_seed(3)
    used = torch.ones(3, 4, dtype=torch.bool)
    place, hidden = torch.rand(3, 4, 5, generator=random), torch.randn(3, 4, 32, generator=random)
    code = torch.randint(16, (12,), generator=random)
    with torch.no_grad():
        links, whole = network.next_places(hidden, code, place, used)
        whole = whole.unflatten(0, (3, 3))  # objects 1, 2, 3
        weights = links.sigmoid() * (torch.arange(1, 4)[:, None] > torch.arange(1, 3))[..., None]
        told = network.pointers.told(weights, place[:, 1:-1])
        for turn in (1, 2, 3):
            state = network.place.state(hidden[:, turn - 1], code.unflatten(0, (3, 4))[:, turn], told[:, turn - 1])
            for variable in range(5):
                known = torch.where(torch.arange(5) < variable, place[:, turn], torch.nan)  # what is unwritten is not read
                one = network.place.one(state, known, variable, place[:, 1:turn])
                assert torch.allclose(one, whole[:, turn - 1, variable], atol=1e-4)
        _, after = network.next_places(hidden, code, torch.cat([place[:, :2], 1 - place[:, 2:]], 1), used)
    after = after.unflatten(0, (3, 3))
    assert torch.equal(after[:, 0], whole[:, 0]) and not torch.allclose(after[:, 2, 0], whole[:, 2, 0], atol=1e-3)


def test_padding_of_texts_is_not_read(network, texts):
    features, mask = texts
    other = torch.where(mask[..., None], features, torch.randn_like(features))
    assert same(draw(network, texts), draw(network, (other, mask)))


def test_one_generator_per_sample_makes_samples_independent(network, texts):
    features, mask = texts
    together = sample(network, features, mask, [torch.Generator().manual_seed(k) for k in range(3)], flow_steps=4)
    for k in range(3):
        alone = sample(
            network, features[k : k + 1], mask[k : k + 1], [torch.Generator().manual_seed(k)], flow_steps=4
        )
        used = int(alone.length[0])
        assert used == together.length[k]
        assert torch.allclose(alone.what[0], together.what[k, :used], atol=1e-3)
    with pytest.raises(UserError, match="2 generators for 3 samples"):
        sample(network, features, mask, [torch.Generator()] * 2)


def test_cold_places_are_the_likeliest_ones(network, texts):
    given = Given(torch.zeros(3, 1, WHAT), torch.zeros(3, 1, 5), at_least=2)  # what is drawn depends on the background

    def spread(heat: float) -> float:
        options = dict(guidance=Guidance(1.0, 1.0), temperature=1e-6, max_tokens=2, given=given)
        drawn = [draw(network, texts, seed, place_temperature=heat, **options).where[:, 1] for seed in range(6)]
        return float(torch.stack(drawn).std(0).mean())

    assert spread(1e-6) < 0.3 * spread(1.0)


def test_around_codes_little_noise_is_drawn(texts):
    """How much two seeds differ in the `what` of the background of one text: as learnt, and around codes much less."""
    network = make_network(around_codes=True)
    network.codebook.zero_(), network.spread.fill_(1.0)  # whichever code is drawn is the same

    def varied(**options) -> float:
        return float(torch.stack([draw(network, texts, seed, **options).what[:, 0] for seed in range(20)]).std(0).mean())

    assert 0.1 < varied() / varied(noise=1.0) < 0.5
    assert varied(noise=0.0) < 1e-5


def test_stop_and_max_tokens(network, texts):
    stopping = make_network()
    stopping.stop.weight.data.zero_()
    stopping.stop.bias.data.fill_(20)
    assert draw(stopping, texts).length.tolist() == [1, 1, 1]
    stopping.stop.bias.data.fill_(-20)
    assert draw(stopping, texts).length.tolist() == [6, 6, 6]
    assert draw(stopping, texts, max_tokens=3).what.shape == (3, 3, WHAT)
    stopping.stop.bias.data.fill_(-1)
    drawn = draw(stopping, (texts[0].repeat(20, 1, 1), texts[1].repeat(20, 1)))
    assert set(drawn.length.tolist()) == {1, 2, 3, 4, 5, 6}
    for row, length in enumerate(drawn.length.tolist()):
        assert drawn.kind[row].tolist() == [0] + [1] * (length - 1) + [0] * (drawn.kind.shape[1] - length)
        assert not drawn.what[row, length:].any() and not drawn.where[row, length:].any()


def test_tokens_have_the_units_that_the_pipeline_expects(network, texts):
    drawn = draw(network, texts, max_tokens=6)
    assert torch.equal(drawn.where[:, 0], torch.tensor([0.5, 0.5, 1, 1]).expand(3, 4))
    assert (drawn.depth[:, 0] > 100).all()
    for row, length in enumerate(drawn.length.tolist()):
        depth = drawn.depth[row, 1:length]
        assert (depth[1:] >= depth[:-1]).all() and ((depth >= 3.99) & (depth <= 20.01)).all()
        assert (drawn.where[row, 1:length, 2:] > 0).all()


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_tokens", 7), ("flow_steps", 0), ("temperature", 0.0), ("place_temperature", 0.0), ("noise", -1.0)],
)
def test_arguments_out_of_range_are_named(network, texts, option, value):
    with pytest.raises(UserError, match=option):
        sample(network, *texts, **{option: value})


def test_places_survive_their_code():
    code = PlaceCode((4.0, 20.0), 128)
    where = torch.tensor([[0.5, 0.5, 0.3, 0.2], [-0.1, 1.1, 0.05, 0.06]])
    depth = torch.tensor([6.0, 15.0])
    frame, far = code.decode(code.encode(where, depth))
    assert torch.allclose(frame, where, atol=1e-5) and torch.allclose(far, depth, atol=1e-4)
    assert code.to_bins(torch.tensor([0.0, 1.0])).tolist() == [0, 127]


@pytest.fixture(scope="module")
def data(sprites) -> CaptionedTokens:
    bank = SpriteBank.load(sprites)
    random = torch.Generator().manual_seed(0)
    far = torch.randn(2, WHAT, generator=random)
    near = torch.randn(len(bank), WHAT, generator=random)
    table = WhatTable(near, torch.full_like(near, 0.1), far, torch.full_like(far, 0.1))

    def read_text(captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        counts = torch.tensor([len(caption.split()) for caption in captions])
        words = [Random(word).random() for caption in captions for word in caption.split()]
        mask = torch.arange(int(counts.max())) < counts[:, None]
        features = torch.zeros(*mask.shape, WIDTH)
        features[mask] = torch.tensor(words)[:, None] * torch.arange(WIDTH)
        return features, mask

    def locate(caption: str, characters: list[int]) -> list[int]:
        return [len(caption[:character].split()) for character in characters]

    return CaptionedTokens(bank, table, read_text, few=3, many=5, locate=locate)


def test_objects_come_in_the_order_of_the_text(data):
    scenes = data.many(60, torch.Generator().manual_seed(0))
    written = write_captions(scenes, Random(0), 0.8)
    unmentioned, stated = 0, 0
    texts = SolidTexts(1.0)
    told = zip(texts.scenes(scenes), written, strict=True)
    members = [[sorted(group) for group in texts.members(caption.request, scene) or []] for scene, caption in told]
    tied = text_ties(written, members, 6)
    for row, (order, caption) in enumerate(zip(text_order(scenes, members), written, strict=True)):
        assert sorted(order) == list(range(5))
        count = int(scenes.present[row].sum())
        expected = [mention for mention in caption.request.mentions for _ in range(mention.count)]
        for slot, mention in zip(order, expected, strict=False):
            assert slot < count and mention.covers(scenes.attributes[row, slot].tolist())
        unmentioned += count - len(expected)
        for later, earlier, kind in tied[row].nonzero().tolist():
            assert later > earlier
            a, b = order[later - 1], order[earlier - 1]
            spots = [(scenes.box[row, k].tolist(), scenes.depth[row, k].item()) for k in (a, b)]
            assert holds(RELATIONS[kind], *spots[0], *spots[1], CLEAR)
        stated += len(caption.request.relations)
    assert unmentioned > 0 and 0 < stated <= tied.sum()


def test_the_plan_gives_every_token_its_words():
    plan = TextPlan(4, 5)
    words = torch.randn(1, 6, 4)
    steps = torch.tensor([[0.0, 1.0, 0.0, 2.0, 0.0, 9.0]])  # the last is padding
    words[..., 0] = steps.expm1().clamp(min=1e-12).log()  # softplus of this is `steps`
    plan.gate.weight.data.copy_(torch.tensor([[1.0, 0, 0, 0]]))
    plan.gate.bias.data.zero_()
    plan.between.weight.data.zero_()
    said, count = plan(words, torch.arange(6)[None] < 5)
    assert count.item() == pytest.approx(3)
    rest = plan.left(torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 1.0], [0.0, 0.0]]))  # tokens 1 to 4
    heard = plan.words(torch.stack([words[0, 1], words[0, 3], words[0, 3], torch.zeros(4)]))
    assert torch.allclose(said[0, 1:], heard + rest, atol=1e-5)

    plan.between.weight.data.normal_()
    changed = words.clone()
    changed[0, 2, 1:] += 1  # the count stands at 1: between the first thing and the second
    moved = (plan(changed, torch.arange(6)[None] < 5)[0] - plan(words, torch.arange(6)[None] < 5)[0]).abs().sum(2)[0]
    assert (moved[1:3] > 1e-3).all() and moved[[0, 3, 4]].max() < 1e-5


def test_every_parameter_learns(data):
    network = make_network()
    short, long = data.batches(16, torch.Generator().manual_seed(0))
    assert short.what.shape[1] <= 4 < long.what.shape[1] <= 6
    assert (short.where[:, 0] == torch.tensor([0.5, 0.5, 1, 1])).all()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    first = last = None
    for step in range(40):
        generator = torch.Generator().manual_seed(step % 2)
        loss = sum(prior_loss(network, batch, 0.1, 2, generator).total(0.5, 1.0) for batch in (short, long))
        loss.backward()
        if step == 0:
            unused = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
            assert not unused
        first, last = first or loss.item(), loss.item()
        optimizer.step()
        optimizer.zero_grad()
    assert last < first


def test_saved_and_loaded_again(network, texts, tmp_path):
    from vle_gen.prior.model import TextToTokenPrior

    prior = TextToTokenPrior.from_network(network)
    prior.save_pretrained(tmp_path)
    again = TextToTokenPrior.from_pretrained(tmp_path)
    assert same(draw(network, texts, 5), draw(again.network, texts, 5))
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "diffusion_pytorch_model.safetensors"}

    prior.half().save_pretrained(tmp_path)
    half = TextToTokenPrior.from_pretrained(tmp_path)
    assert half.dtype == torch.float32
    assert torch.equal(half.network.what_std, network.what_std.half().float())


def test_training_needs_no_diffusers():
    code = (
        "import sys, vle_gen.training.prior; "
        "sys.exit(any(name in sys.modules for name in ('diffusers', 'open_clip')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
