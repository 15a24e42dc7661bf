"""Text to tokens: the prior draws, CLIP names what came out, and what breaks the prompt is drawn again."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from prompts.grounds import GROUNDED
from prompts.lexicon import Lexicon
from prompts.reading import read, singly
from prompts.request import Mention, SceneRequest
from prompts.synonyms import split_words
from vle_gen.generation.chosen_places import Place, clamps, turns_of, with_places
from vle_gen.generation.closing_up import closed_up
from vle_gen.generation.dyeing import called_dyed, dyed, undyed
from vle_gen.generation.framing import centred, framed
from vle_gen.generation.lining_up import lined_up
from vle_gen.generation.refusing import Pair, Refusing, least_extent, pairs_of, sinks_of, sizes_of, written_by
from vle_gen.generation.resting import resting
from vle_gen.generation.sizing import least_drawn, sized
from vle_gen.generation.standing_behind import stood_behind
from vle_gen.prior.chance import Generators
from vle_gen.prior.room import any_covered
from vle_gen.prior.sampling import Given, Guidance, SampledTokens
from vle_gen.recognition.ground_looks import is_open_sky, unshown
from vle_gen.standing import clashes, hidden, standings
from vle_gen.tokenizer.loop import SCENE_DEPTH
from vle_gen.tokens import VLETokens

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

PLACE_TEMPERATURE = 0.4  # of where things are drawn: what is all but ruled out there hardly happens
AFLOAT = 7  # draws, one, two and four, after which nothing is drawn again for the sake of ground alone


@dataclass(frozen=True)
class Order:
    """What is asked of a picture.

    Args:
        text: as the prior reads it.
        request: what must hold; None where the text cannot be read.
        places: that the user chose.
        turns: in which what stands there is written.
        things: that are to stand there.
        written: what each turn is to write, from the first on, where that is known.
        pairs: how what is written in one turn is to stand to what is written in another.
    """

    text: str
    request: SceneRequest | None
    places: tuple[Place, ...] = ()
    turns: tuple[int, ...] = ()
    things: tuple[Mention, ...] = ()
    written: tuple[Mention, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @staticmethod
    def of(prompt: str, places: Sequence[Place], known: frozenset[str], lexicon: Lexicon | None = None) -> Order:
        """A prompt, and the places of some of its things, in the words and names that a checkpoint knows."""
        reading = singly(read(with_places(prompt, places, lexicon), known, lexicon), lexicon)
        things = tuple(place.mention(lexicon) for place in places)
        turns = turns_of(reading.order, places, lexicon)
        order, text = reading.order, reading.text
        asked = reading.request.background if reading.request and lexicon else ()
        if asked and lexicon.grounds.lacks_ground(asked, split_words(prompt)):
            text = f"{text} {GROUNDED}"
        return Order(text, reading.request, tuple(places), turns, things, written_by(order), pairs_of(order))

    def wanted(self, turns: list[int]) -> list[Mention | None]:
        """What objects written in `turns` were to be; None where that is not known."""
        return [self.written[turn - 1] if turn <= len(self.written) else None for turn in turns]


@dataclass(frozen=True)
class Settings:
    """How pictures are drawn: see `VLEPipeline.__call__`."""

    guidance: float
    flow_steps: int
    tries: int
    size: tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """A picture as drawn, and what of its order it does not show; `afloat` is one of nothing but sky that nobody asked for."""

    tokens: VLETokens
    problems: list[str]
    afloat: bool = False

    @property
    def faults(self) -> tuple[int, bool]:
        """The less, the better."""
        return len(self.problems), self.afloat


def draw_orders(
    pipe: VLEPipeline, orders: list[Order], each: int, generator: Generators | None, settings: Settings
) -> list[Drawn]:
    """`each` pictures of every order, those of one order beside one another. Most need one draw; those that need more
    get them in growing batches, until one shows all that was asked or the tries are used up. With more than one try, as many
    things are written as were asked for, of the size asked for, a place that `Refusing` refuses is drawn again as soon as it
    is written, and for a few draws so is what has nothing but sky that nobody asked for; one try is the prior alone."""
    read = pipe.clip.text_features([order.text for order in orders])
    words = pipe.prior.config.max_words
    features, mask = read.tokens[:, :words].float(), read.mask[:, :words]
    fixed = _fixed(pipe, orders)
    counts = _counts(orders, pipe.prior.config.max_tokens) if settings.tries > 1 else None
    best: list[Drawn | None] = [None] * (each * len(orders))
    pending = list(range(len(best)))
    left, burst = settings.tries, 1
    while pending and left:
        burst = min(burst, left)
        pictures = [k for k in pending for _ in range(burst)]
        rows = torch.tensor(pictures) // each
        asked = [orders[row] for row in rows.tolist()]
        drawn = pipe.prior.sample(
            features,
            mask,
            [_fresh(generator[k] if isinstance(generator, list) else generator) for k in pictures],
            guidance=Guidance(min(settings.guidance, 0.5 + settings.guidance / 2), settings.guidance),  # half as far beyond 1
            flow_steps=settings.flow_steps,
            place_temperature=PLACE_TEMPERATURE,
            scheduler=pipe.scheduler,
            background_depth=SCENE_DEPTH,
            rows=rows,
            given=_given(fixed, counts, rows, features.device),
            refuse=_refusing(pipe, asked) if settings.tries > 1 else None,
        )
        if pipe.prior.config.around_codes:  # what such a prior writes of a scene is a little more than any scene shows
            drawn.what[:, 0] = pipe.tokenizer.reread_scenes(drawn.what[:, 0])
        for row, k in enumerate(pictures):
            if best[k] is not None and not any(best[k].faults):
                continue
            tokens = written(pipe, drawn, row, settings.size)
            order, turns = orders[k // each], drawn.turn[row].tolist()
            wanted = order.wanted(turns[1 : len(tokens)])
            afloat = settings.tries > 1 and _is_afloat(pipe, tokens, order)
            if afloat and best[k] is not None and not best[k].problems:
                continue
            lays = settings.tries > 1 and pipe.lexicon is not None and not order.places
            for laid in _ways_to_lay(tokens, order.request, wanted) if lays else [tokens]:
                problems = _problems(pipe, laid, order, turns)
                one = Drawn(dyed(laid, wanted), problems, afloat)
                if best[k] is None or one.faults < best[k].faults:
                    best[k] = one
                if not problems:
                    break
        left, burst = left - burst, 2 * burst
        pending = [k for k in pending if best[k].problems or (best[k].afloat and settings.tries - left < AFLOAT)]
    return best


def _ways_to_lay(
    tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]
) -> Iterator[VLETokens]:
    """A draw as a person would lay its things out, from the most that is done to that to the least; `wanted` says what each
    object token was to be. Each way is made only when those before it were not right."""
    tokens = centred(sized(tokens, wanted, least_drawn(request)), request)
    lined = lined_up(tokens, request, wanted)
    close = stood_behind(closed_up(lined, request, wanted), request, wanted)
    for one in [lined] if close is lined else [close, lined]:
        laid = resting(framed(one, request), request, wanted)
        if laid is not tokens and not _covers_more(laid, tokens):
            yield laid
    yield tokens


def _covers_more(laid: VLETokens, drawn: VLETokens) -> bool:
    """Whether something is hidden as it is laid out that is not as it was drawn."""
    return any_covered(laid.where[0, 1:]) and not any_covered(drawn.where[0, 1:])


def _refusing(pipe: VLEPipeline, orders: list[Order]) -> Refusing:
    """Which places are drawn again in a picture of each order: of solids those where relations or room are wanting, of
    things with names those where they would hardly be told or look piled up, but none that somebody chose."""
    if pipe.lexicon is None:
        return Refusing([order.pairs for order in orders], farthest=pipe.prior.config.farthest)
    least = [0.0 if order.places else least_extent(order.request) for order in orders]
    shown = [not order.places for order in orders]
    sized = [{} if order.places else sizes_of(order.written) for order in orders]
    sinks = [sinks_of(order.pairs) if order.written and not order.places else None for order in orders]
    return Refusing([()] * len(orders), room=False, least=least, shown=shown, sized=sized, sinks=sinks)


def _fresh(generator: torch.Generator | None) -> torch.Generator:
    """A generator of one draw's own, so that the draw does not depend on those beside it."""
    return torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=generator)))


def _given(fixed: torch.Tensor | None, counts: torch.Tensor | None, rows: torch.Tensor, device: torch.device) -> Given:
    """What is given to samples of the orders `rows` (B,), from `_fixed` and `_counts`."""
    clamped = None if fixed is None else fixed[rows].to(device)
    if counts is None:
        return Given(clamped=clamped)
    least, most = counts[:, rows].to(device)
    return Given(clamped=clamped, at_least=least, most=most)


def _counts(orders: list[Order], limit: int) -> torch.Tensor:
    """How many tokens a picture of each order has at least and at most, the background counted: (2, orders). Another number
    is sure to be wrong, so that it is not left to the prior, which is not sure of it."""
    least, most = [], []
    for request in (order.request for order in orders):
        closed = request is not None and not any(mention.open for mention in request.mentions)
        least.append(1 if request is None else min(1 + request.count, limit))
        most.append(1 + request.count if closed else limit)
    return torch.tensor([least, most])


def _fixed(pipe: VLEPipeline, orders: list[Order]) -> torch.Tensor | None:
    """What the orders' places fix: (orders, tokens, 5), NaN where free; None where there are no places."""
    count = 1 + max((turn for order in orders for turn in order.turns), default=0)
    if count == 1:
        return None
    return torch.stack([clamps(pipe.prior.network.code, order.places, order.turns, count) for order in orders])


def _problems(pipe: VLEPipeline, tokens: VLETokens, order: Order, turns: list[int]) -> list[str]:
    """What of an order a sample does not show; `turns` says when each of its tokens was written. What CLIP sees is asked
    first, and where that is not all and codes tell names too, what is read again from the picture."""
    if order.request is None and not order.places:
        return []
    grounds = _grounds_missing(pipe, tokens, order)
    problems = _problems_told_by(None, pipe, tokens, order, turns)
    if problems and pipe.names_by_codes:
        problems = _problems_told_by("picture", pipe, tokens, order, turns)
    return problems + grounds


def _grounds_missing(pipe: VLEPipeline, tokens: VLETokens, order: Order) -> list[str]:
    """The backgrounds of an order that a sample does not show."""
    asked = order.request.background if order.request else ()
    if not asked or pipe.lexicon is None or not pipe.lexicon.grounds.looks:
        return []
    return [f"no {one}" for one in unshown(asked, _scene(pipe, tokens), pipe.lexicon.grounds)]


def _is_afloat(pipe: VLEPipeline, tokens: VLETokens, order: Order) -> bool:
    """Whether the things of a sample have nothing but sky behind and below them though no background was asked for."""
    if pipe.lexicon is None or order.request is None or order.request.background or len(tokens) == 1:
        return False
    return is_open_sky(_scene(pipe, tokens))


@torch.no_grad()
def _scene(pipe: VLEPipeline, tokens: VLETokens) -> torch.Tensor:
    """What the scene token of a sample shows: (3, H, W), 0..1."""
    return pipe.tokenizer.network.background_decoder(tokens.what[0, :1])[0].float().clamp(0, 1).cpu()


def _problems_told_by(
    told_by: Literal["picture"] | None, pipe: VLEPipeline, tokens: VLETokens, order: Order, turns: list[int]
) -> list[str]:
    """The same by names alone that are told in one of these ways: see `VLEPipeline.names`."""
    asked = [undyed(mention) for mention in (*(order.request.mentions if order.request else ()), *order.things)]
    wanted = order.wanted(turns[1 : len(tokens)])
    names = called_dyed(pipe.names(tokens, asked, told_by).given(wanted), wanted) if len(tokens) > 1 else ()
    problems = pipe.problems(tokens, order.request, names) if order.request else []
    for place, thing, turn in zip(order.places, order.things, order.turns, strict=True):
        index = turns.index(turn)
        if not (0 < index <= len(names) and names[index - 1].fits(thing)):
            problems.append(f"no {place}")
    return problems or _unlikely(tokens, [str(name) for name in names], pipe.lexicon is not None)


def _unlikely(tokens: VLETokens, said: list[str], lifted: bool) -> list[str]:
    """Objects, called `said`, that stand in one another or are all but hidden; some may be `lifted` off the floor."""
    stand = standings(tokens)
    inside = [(k, other) for k in range(len(stand)) for other in clashes(stand[k], stand[:k], lifted)]
    return [f"the {said[k]} stands in the {said[other]}" for k, other in inside] + [
        f"the {said[k - 1]} is hidden" for k in hidden(tokens)
    ]


def written(pipe: VLEPipeline, drawn: SampledTokens, row: int, size: tuple[int, int]) -> VLETokens:
    """Sample `row` as tokens of one picture of `size` (height, width) in pixels."""
    used = int(drawn.length[row])
    what = drawn.what[row, :used]
    return VLETokens(
        what=what[None],
        where=drawn.where[row : row + 1, :used],
        depth=drawn.depth[row : row + 1, :used],
        kind=drawn.kind[row : row + 1, :used],
        length=drawn.length[row : row + 1],
        size=size,
        scope=pipe.tokenizer.silhouettes(what)[None],
        score=torch.ones(1, used, device=what.device),
        source=torch.full((1, used), -1, device=what.device),
        checkpoint=pipe.tokenizer.checkpoint_id,
    )
