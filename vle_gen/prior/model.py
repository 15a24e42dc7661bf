"""`TextToTokenPrior`: the prior as users of diffusers know models (`from_pretrained`, `save_pretrained`, config)."""
from __future__ import annotations

import json
from functools import cached_property

from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from prompts.lexicon import Lexicon
from vle_gen.io.checkpoints import line_by_line
from vle_gen.io.model_files import SavedModel
from vle_gen.prior.network import PriorNetwork
from vle_gen.prior.sampling import SampledTokens, sample
from vle_gen.prior.sizes import Needs, PriorSizes
from vle_gen.recognition.shape_reading import ShapeReading


class TextToTokenPrior(SavedModel, ModelMixin, ConfigMixin):
    """Writes tokens from text.

    Args:
        text_width: width of the text features that it reads.
        what_dim: numbers in a token's `what`.
        width, blocks, heads: of the trunk.
        text_blocks: layers of the text adapter.
        flow_width, flow_blocks: of the MLP that samples `what`.
        bins: bins per number of a place.
        codes: kinds of appearance, one of which is chosen before `what` is drawn exactly.
        max_tokens: most tokens in a picture, the background counted.
        max_words: most positions of a text.
        depth_near, depth_far: range of the objects' depths.
        relations: how many sorts of relations the pointers tell apart.
        around_codes: the flow begins with a normal distribution around the code's mean.
        neighbours: places are written with a look at those of the things before.
        clip_name, clip_id, tokenizer_id, words, lexicon, farthest, shapes: see `vle_gen.prior.sizes.Needs`.
    """

    part = "prior"
    about = (
        "# Text-to-token prior\n\n"
        "An autoregressive transformer that reads CLIP's text features and writes tokens in the order of the words: "
        "what sort of thing each is, its place in bins, its `what` by a small flow-matching head. Trained on captioned "
        "pictures, or layouts of sprites.\n"
        "It only fits the tokenizer and the CLIP that it was trained with. Weights are float16 safetensors."
    )

    @register_to_config
    def __init__(
        self,
        text_width: int = 256,
        what_dim: int = 128,
        width: int = 256,
        blocks: int = 4,
        heads: int = 8,
        text_blocks: int = 3,
        flow_width: int = 256,
        flow_blocks: int = 3,
        bins: int = 128,
        codes: int = 512,
        max_tokens: int = 16,
        max_words: int = 77,
        depth_near: float = 4.0,
        depth_far: float = 20.0,
        clip_name: str | None = None,
        clip_id: str | None = None,
        tokenizer_id: str | None = None,
        words: list[str] | None = None,
        lexicon: dict | None = None,
        relations: int = 5,
        around_codes: bool = False,
        neighbours: bool = False,
        farthest: float | None = None,
        shapes: dict | None = None,
    ):
        super().__init__()
        trunk = (width, blocks, heads, text_blocks, flow_width, flow_blocks)
        depths, more = (depth_near, depth_far), (relations, around_codes, neighbours)
        sizes = PriorSizes(*trunk, bins, codes, max_tokens, max_words, *depths, *more)
        self.network = PriorNetwork(sizes, text_width, what_dim)

    @staticmethod
    def from_network(network: PriorNetwork, needs: Needs | None = None) -> TextToTokenPrior:
        """A prior with a copy of the weights of a trained network, and what goes with them."""
        prior = TextToTokenPrior(network.text_width, network.what_dim, **vars(network.sizes), **vars(needs or Needs()))
        prior.network.load_state_dict(network.state_dict())
        return prior.eval()

    @cached_property
    def lexicon(self) -> Lexicon | None:
        """What it was trained to draw beyond the solids; None for nothing."""
        return None if self.config.lexicon is None else Lexicon.from_json(self.config.lexicon)

    def shape_reading(self, tokenizer_id: str) -> ShapeReading | None:
        """How a tokenizer's tokens of solids say their shape; None where that is not known, or of another tokenizer's alone."""
        known = self.config.shapes is not None and self.config.tokenizer_id == tokenizer_id
        return ShapeReading.from_json(self.config.shapes) if known else None

    def to_json_string(self) -> str:
        """The config as it is written: a thousand names would fill as many lines."""
        return line_by_line(json.loads(super().to_json_string()))

    def sample(self, features: Tensor, mask: Tensor, generator=None, **options) -> SampledTokens:
        """Draws tokens for texts: see `vle_gen.prior.sampling.sample` for the options."""
        return sample(self.network, features, mask, generator, **options)

    def forward(self, what: Tensor, place: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states (B, T, width) from which `what` and the next place are read off: see `PriorNetwork.forward`."""
        return self.network(what, place, self.network.read_text(features, mask))
