"""`VLEPipeline`: pictures to tokens to pictures, and prompts to tokens to pictures, as a diffusers pipeline."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from diffusers.utils import BaseOutput
from PIL import Image

from editors.language import Edit, Selector
from editors.rows import box, one_object, place_of, recorded, require_tokens
from prompts.called import Called, every_calling
from prompts.extremes import chosen, superlative
from prompts.grammar import parse
from prompts.known import require_drawable, require_known_object
from prompts.lexicon import Lexicon
from prompts.request import Mention, SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import WORDS
from vle_gen.arguments import one_generator, places_of, prompts_of, require_generators, require_numbers, require_output, seed_of
from vle_gen.clip import ClipModel
from vle_gen.device import float32_by_default, require_float32
from vle_gen.errors import UserError
from vle_gen.generation import writing
from vle_gen.generation.chosen_places import Place
from vle_gen.generation.drawing import Order, Settings, draw_orders
from vle_gen.generation.dyeing import most_of_colour, undyed
from vle_gen.io.digest import digest_of
from vle_gen.parts import require_fit, require_parts
from vle_gen.picture_coder import PictureCoder
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.recognition.names import Names
from vle_gen.recognition.prototypes import hidden_since, in_own_colours, painted_over, shaped_like, told_by_codes
from vle_gen.tokenizer.loop import reread
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

LIKE, NEARLY = 0.6, 0.9  # overlap of silhouettes from which a thing has the shape of a name, and share of the best one's
SAME_COLOUR = 0.2  # in OKLab: what has the shape of a name in another colour than its own is of the colour that is said
UNNAMED = "thing"  # what an object is called that nothing can name
PICTURE_SIDE = 256  # pictures from text are squares of this many pixels unless asked otherwise


@dataclass
class VLEPipelineOutput(BaseOutput):
    """What a prompt became.

    Args:
        images: one picture per sample.
        tokens: the tokens of each picture.
        problems: what of the prompt each picture fails to show, as far as was checked; empty where all holds.
        checked: whether each prompt could be read, and so its pictures checked.
    """

    images: list[Image.Image]
    tokens: list[VLETokens]
    problems: list[list[str]]
    checked: list[bool]


class VLEPipeline(PictureCoder, DiffusionPipeline):
    """Encodes, decodes and writes pictures. All parts but the tokenizer may be None: what needs them is then refused.

    Args:
        tokenizer: picture <-> tokens.
        prior: text features -> tokens.
        clip: text features, and names for tokens.
        scheduler: samples the prior's flow head.

    Raises:
        UserError: a part is of another kind, or the parts do not fit one another.
    """

    tokenizer: VLETokenizer
    prior: TextToTokenPrior | None
    clip: ClipModel | None
    scheduler: FlowMatchEulerDiscreteScheduler | None
    model_cpu_offload_seq = "clip->prior->tokenizer"
    _optional_components = ["prior", "clip", "scheduler"]  # of diffusers: these may be missing in a checkpoint

    def __init__(
        self,
        tokenizer: VLETokenizer,
        prior: TextToTokenPrior | None = None,
        clip: ClipModel | None = None,
        scheduler: FlowMatchEulerDiscreteScheduler | None = None,
    ):
        super().__init__()
        require_parts(tokenizer=tokenizer, prior=prior, clip=clip, scheduler=scheduler)
        require_fit(tokenizer, prior, clip)
        self.register_modules(tokenizer=tokenizer, prior=prior, clip=clip, scheduler=scheduler)

    @classmethod
    def from_pretrained(cls, path, **options) -> VLEPipeline:
        """As for every diffusers pipeline, but in float32 (shipped weights are float16), in which it computes.

        Raises:
            UserError: another `dtype` is asked for.
        """
        for key in ("dtype", "torch_dtype"):
            require_float32(options.get(key))
        options.setdefault("low_cpu_mem_usage", False)  # the models are small, and it would need accelerate
        return super().from_pretrained(path, **options)

    def to(self, *args, **kwargs) -> VLEPipeline:
        """As for every diffusers pipeline: to a device. Raises `UserError` for a dtype in which it does not compute."""
        for one in (*args, *kwargs.values()):
            require_float32(one)
        return super().to(*args, **kwargs)

    @overload
    def __call__(self, prompt: str | list[str], *a: Any, return_dict: Literal[True] = ..., **b: Any) -> VLEPipelineOutput: ...

    @overload
    def __call__(self, prompt: str | list[str], *a: Any, return_dict: Literal[False], **b: Any) -> tuple[list]: ...

    @float32_by_default()
    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str],
        num_images_per_prompt: int = 1,
        generator: torch.Generator | list[torch.Generator] | None = None,
        guidance_scale: float = 3.0,
        num_inference_steps: int = 16,
        height: int = PICTURE_SIDE,
        width: int = PICTURE_SIDE,
        tries: int = 24,
        places: Sequence[Place | str] = (),
        output_type: Literal["pil", "np"] = "pil",
        return_dict: bool = True,
    ) -> VLEPipelineOutput | tuple[list]:
        """Pictures for one or more prompts.

        Each sample's tokens are named by CLIP and held against the prompt; a sample that breaks it is drawn again, up to
        `tries` times in all, and the one with the fewest problems is kept. With more than one try a place where there is no
        room, or where a relation would not hold, is drawn again while a sample is written. The check only accepts or rejects.

        Args:
            prompt: what to show.
            num_images_per_prompt: samples of each prompt.
            generator: of the CPU; the same seed gives the same pictures. A list holds one for each picture.
            guidance_scale: how strictly the text is followed; 1 is as learnt.
            num_inference_steps: steps of the flow head per token.
            height, width: of the pictures in pixels; equal, since the prior writes for square canvases.
            tries: most draws per picture; 1 shows the prior as it is.
            places: where some things go, in every picture, such as "red ball@0.25,0.6"; what the prompt does not speak of is
                added to it.
            output_type: "pil", or "np" for an array (pictures, height, width, 3), float32 in 0..1.
            return_dict: False gives a tuple with the pictures alone.

        Raises:
            UserError: an empty prompt, words that the checkpoint has never seen, an argument out of range, or a checkpoint
                without a prior or CLIP.
        """
        self._require_writing()
        prompts, places = prompts_of(prompt), places_of(places)
        require_output(output_type)
        for text in [place.phrase for place in places] + [text for text in prompts if text or not places]:
            require_drawable(text, self.words, self.lexicon)
        height, width = (PICTURE_SIDE if side is None else side for side in (height, width))
        if height != width:
            raise UserError(f"pictures from text are square: got height {height} and width {width}")
        if not prompts:
            raise UserError("there is no prompt: expected one, or a list of them")
        counts = dict(num_images_per_prompt=num_images_per_prompt, num_inference_steps=num_inference_steps, tries=tries)
        require_numbers(guidance_scale, height=height, width=width, **counts)
        require_generators(generator, len(prompts) * num_images_per_prompt)
        orders = [Order.of(text, places, self.words, self.lexicon) for text in prompts]
        counts = [order.request.count for order in orders if order.request is not None]
        turns = [turn for order in orders for turn in order.turns]
        if (most := max((*counts, *turns), default=0)) >= self.prior.config.max_tokens:
            raise UserError(f"{most} things are too many: this prior writes {self.prior.config.max_tokens - 1}")
        settings = Settings(guidance_scale, num_inference_steps, tries, (height, width))
        drawn = draw_orders(self, orders, num_images_per_prompt, generator, settings)
        images = [self.decode(one.tokens) for one in drawn]
        if output_type == "np":
            images = np.stack([np.asarray(image, np.float32) / 255 for image in images])
        if not return_dict:
            return (images,)
        return VLEPipelineOutput(
            images=images,
            tokens=[one.tokens for one in drawn],
            problems=[one.problems for one in drawn],
            checked=[order.request is not None for order in orders for _ in range(num_images_per_prompt)],
        )

    @float32_by_default()
    def add(
        self,
        tokens: VLETokens,
        phrase: str,
        at: tuple[float, float] | None = None,
        size: float | None = None,
        generator: torch.Generator | None = None,
        tries: int = writing.TRIES,
    ) -> VLETokens:
        """The tokens of one picture with one more after them: see `vle_gen.generation.writing.add`, which also says what
        fails. Their history names the seed that the generator began with."""
        generator, at = one_generator(generator), None if at is None else place_of(at)
        edit = Edit("add", (Selector(words=phrase),), at=at, size=size, seed=seed_of(generator))
        return recorded(writing.add(self, tokens, phrase, at, size, generator, tries).tokens, str(edit))

    @float32_by_default()
    def replace(
        self,
        tokens: VLETokens,
        index: int,
        phrase: str,
        generator: torch.Generator | None = None,
        tries: int = writing.TRIES,
    ) -> VLETokens:
        """The tokens with another object in the place of token `index`: see `writing.replace_object`, and `add`."""
        index = one_object(tokens, index, "replaced")
        generator = one_generator(generator)
        edit = Edit("replace", (Selector(number=index),), phrase=phrase, seed=seed_of(generator))
        return recorded(writing.replace_object(self, tokens, index, phrase, generator, tries).tokens, str(edit))

    def problems(self, tokens: VLETokens, request: SceneRequest, names: Sequence[Called] | None = None) -> list[str]:
        """What of a parsed prompt the tokens of one picture do not show, by CLIP's names (`called`, where they are known
        already) and the tokens' places. Backgrounds are not checked here."""
        names = self.called(tokens, request.mentions) if names is None else names
        box = tokens.where[0, 1:].clone()
        box[:, 2:] /= FRAME_SCALE
        rows, kinds = [one.attributes for one in names], [one.kinds for one in names]
        return check(request, rows, box.tolist(), tokens.depth[0, 1:].tolist(), exact=True, kinds=kinds)

    def called(self, tokens: VLETokens, asked: Sequence[Mention] = ()) -> tuple[Called, ...]:
        """What every object token (all but token 0) is called, as CLIP sees it, in favour of what is `asked` for."""
        require_tokens(tokens)
        return self.names(tokens, asked).called if len(tokens) > 1 else ()

    def attributes(self, tokens: VLETokens) -> list[list[int]]:
        """Shape, size, material and colour of every object token (all but token 0), as CLIP sees them; -1 where a thing is
        called by a name that does not say."""
        return [list(one.attributes) for one in self.called(tokens)]

    def name_tokens(self, tokens: VLETokens) -> list[str]:
        """What each token shows, in words; "scene" for the scene token, and "thing" for all others without a CLIP."""
        require_tokens(tokens)
        if self.clip is None:
            return ["scene", *[UNNAMED] * (len(tokens) - 1)]
        return ["scene", *self.names(tokens).text] if len(tokens) > 1 else ["scene"]

    @property
    def device(self) -> torch.device:
        """Where the pipeline computes: its models are always together, so one is asked and not all."""
        return self.tokenizer.device

    @property
    def checkpoint_id(self) -> str:
        """Short digest of the weights of the tokenizer's decoder and of the prior: the same id, the same pictures. Without a
        prior it is the tokenizer's."""
        if self.prior is None:
            return self.tokenizer.checkpoint_id
        return digest_of(self.prior.state_dict().values(), self.tokenizer.checkpoint_id)

    @property
    def words(self) -> frozenset[str]:
        """The words of the captions that the prior was trained on and that the text tower knows. Raises `UserError` without
        a prior or CLIP, since no words can then be drawn."""
        self._require_writing()
        trained = WORDS if self.prior.config.words is None else frozenset(self.prior.config.words)
        if self.clip.words is None:
            return trained
        return self.clip.words if self.prior.config.words is None else trained & self.clip.words

    @property
    def writes(self) -> bool:
        """Whether it writes from text, which takes a prior and a CLIP."""
        return None not in (self.prior, self.clip)

    @property
    def lexicon(self) -> Lexicon | None:
        """The things beyond the solids that prompts may ask for; None where the prior was not trained to draw any."""
        return None if self.prior is None else self.prior.lexicon

    @property
    def seen_lexicon(self) -> Lexicon | None:
        """The things beyond the solids that tokens are named by: what CLIP was trained to name or, where it knows any word,
        what the prior draws. None without a CLIP."""
        if self.clip is None:
            return None
        return self.lexicon if self.clip.lexicon is None and self.clip.words is None else self.clip.lexicon

    @float32_by_default()
    def find(self, tokens: VLETokens, phrase: str) -> int:
        """The index of the one object that `phrase` describes, such as "the leftmost red ball" or "the cat on the left".

        Raises:
            UserError: the phrase describes no object, or several, which are then listed; or the checkpoint has no CLIP.
        """
        self._require_naming(f"it cannot tell which object {phrase!r} is: give --token, --point or --box")
        lexicon = self.seen_lexicon  # CLIP names, whatever the prior knows
        said, most = superlative(phrase)
        require_known_object(said, WORDS if self.clip.words is None else self.clip.words, lexicon)
        request = parse(said, lexicon)
        if request is None or len(request.mentions) != 1 or request.count != 1:
            raise UserError(f"{phrase!r} does not describe one object: expected words like 'the red ball'")
        (asked,), names = request.mentions, self.called(tokens)
        mention = undyed(asked)
        fitting = [index for index, one in enumerate(names, 1) if one.fits(mention)]
        if not fitting and mention.name is not None:  # nothing is best called that, but something may be it
            nearly = self.called(tokens, [mention])
            fitting = [index for index, one in enumerate(nearly, 1) if one.fits(mention)]
        if mention.place is not None or most is not None:
            boxes = [box(tokens, index).within(*tokens.size) for index in fitting]
            fitting = [fitting[k] for k in chosen(mention.place, most, boxes)]
        if asked.dye is not None:
            shaped = [] if fitting else self._shaped(tokens, mention)
            if shaped or len(fitting) > 1:
                within = SAME_COLOUR if shaped else math.inf
                fitting = most_of_colour(tokens, shaped or fitting, self.decode(tokens), asked.dye, within)
        if len(fitting) == 1:
            return fitting[0]
        listed = ", ".join(f"{k} ({names[k - 1]})" for k in (fitting or range(1, len(names) + 1)))
        if fitting:
            raise UserError(f"{phrase!r} fits tokens {listed}: say more, or give --token")
        raise UserError(f"{phrase!r} fits no token: there are {listed or 'no objects'}")

    @float32_by_default()
    def names(
        self, tokens: VLETokens, asked: Sequence[Mention] = (), told_by: Literal["tokens", "picture"] | None = "tokens"
    ) -> Names:
        """Names of the object tokens (all but token 0), in favour of what is `asked` for: by CLIP and, in a checkpoint that
        draws things by name, by what the tokens say (`vle_gen.recognition.prototypes`). What an edit has hidden more of
        than the source did is looked at there, and what is painted over in its own colours, so that both keep their names.

        Args:
            told_by: `tokens` takes them at their word. Those that the prior wrote are near to what they were meant to be
                however they look, or however little shows of them: for these `picture` reads again what it shows. None is
                CLIP alone.

        Raises:
            UserError: the checkpoint has no CLIP.
        """
        self._require_naming("it cannot name what it finds")
        device = self.device
        picture = torch.from_numpy(np.array(self.decode(tokens))).permute(2, 0, 1).to(device).float() / 255
        where, depth, told = tokens.where[0, 1:].to(device), tokens.depth[0, 1:].to(device), None
        if told_by and self.names_by_codes:
            net, again = self.tokenizer.network, told_by == "picture"
            what = reread(net, picture, where, depth) if again else tokens.what[0, 1:].to(device)
            told = told_by_codes(self.prior.network, what, net.sizes.whole, len(every_calling(self.lexicon)))
            if not again:  # what is shown otherwise than it says is told by CLIP alone
                told[[tokens.retouched(index) for index in range(1, len(tokens))]] = torch.nan
        glimpses = self.clip.glimpses(picture, where, depth)
        if hidden := hidden_since(tokens):
            detail, at = tokens.detail, tokens.source[0, hidden].cpu()
            source = detail.picture.to(device).float() / 255
            seen = self.clip.glimpses(source, detail.where[at].to(device), detail.depth[at].to(device))
            glimpses[[index - 1 for index in hidden]] = seen
        names = self.clip.name(glimpses, self.seen_lexicon, asked, told)
        if told_by == "tokens" and tokens.detail is not None and self.prior is not None and self.seen_lexicon is None:
            reading = self.prior.shape_reading(self.tokenizer.checkpoint_id)
            names = names if reading is None else names.shaped(reading(tokens.what[0, 1:].to(device)))
        if not (told_by and self.names_by_codes and (over := painted_over(tokens))):
            return names
        return names.painted(self.names(in_own_colours(tokens), asked, told_by), [index - 1 for index in over])

    def _shaped(self, tokens: VLETokens, mention: Mention) -> list[int]:
        """The object tokens that have the shape of what a mention names, whatever their colours; none where codes tell none."""
        if len(tokens) == 1 or not self.names_by_codes:
            return []
        names = [k for k, one in enumerate(every_calling(self.lexicon)) if one.fits(mention)]
        what = tokens.what[0, 1:].to(self.device)
        overlap = shaped_like(self.prior.network, self.tokenizer.network.glimpse_decoder, what, names).tolist()
        return [index for index, share in enumerate(overlap, 1) if share >= max(LIKE, NEARLY * max(overlap))]

    @property
    def names_by_codes(self) -> bool:
        """Whether the prior has codes for all that CLIP calls things, which then tell names too. Codes of solids alone tell no
        more than CLIP sees."""
        return self.lexicon is not None and every_calling(self.lexicon) == every_calling(self.seen_lexicon)

    def _require_writing(self) -> None:
        missing = [name for name, part in (("prior", self.prior), ("CLIP", self.clip)) if part is None]
        if missing:
            raise UserError(
                f"this checkpoint has no {' and no '.join(missing)}, so it writes nothing from text: leave --checkpoint out "
                "for one that does, or put objects of other pictures in with 'vlegen paste'"
            )
        for part in (self.prior, self.clip):
            require_float32(part.dtype)

    def _require_naming(self, so: str) -> None:
        if self.clip is None:
            raise UserError(f"this checkpoint has no CLIP, so {so}")
