"""Training on pictures alone: nothing but the picture is looked at, every network learns from it, and it exports."""
from __future__ import annotations

import pytest
import torch

from vle_gen import config as configs
from vle_gen.data.compose import Composer
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.selfsupervised import SelfSupervisedLoss, extents
from vle_gen.tokenizer.sizes import LossWeights, TokenizerSizes

SMALL = TokenizerSizes(32, 32, 16, 96, 132, [16, 16, 32, 32], 16, [16, 16, 32, 32], [16, 16, 32, 32])


def pictures(sprites, count=2) -> SceneBatch:
    scene = Composer(SpriteBank.load(sprites), 3, 5)(count, torch.Generator().manual_seed(0), 96, 144)
    nothing = dict.fromkeys(vars(scene))  # no box, no mask, no depth, no layer
    return SceneBatch(**nothing | {"image": scene.image})


def test_it_looks_at_the_picture_alone_and_teaches_every_network(sprites):
    torch.manual_seed(0)
    network = TokenizerNetwork(SMALL)
    loss, numbers = SelfSupervisedLoss(LossWeights(), 3)(network, pictures(sprites), torch.Generator().manual_seed(0))
    loss.backward()
    weights = {name for name in vars(LossWeights()) if name != "squared"}
    assert set(numbers) - {"worth", "remaining"} == weights
    untaught = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert untaught == []


def test_each_loss_can_be_switched_off(sprites):
    torch.manual_seed(0)
    network, scenes = TokenizerNetwork(SMALL), pictures(sprites)
    none = LossWeights(**dict.fromkeys(vars(LossWeights()), 0.0))
    total, _ = SelfSupervisedLoss(none, 2)(network, scenes, torch.Generator().manual_seed(0))
    assert float(total.detach()) == 0
    for name in ("area", "distinct", "intermediate", "kl"):
        weights = LossWeights(**{**vars(none), name: 2.0, "squared": 0.0})
        total, numbers = SelfSupervisedLoss(weights, 2)(network, scenes, torch.Generator().manual_seed(0))
        assert float(total.detach()) == pytest.approx(2 * numbers[name], rel=1e-4)


def test_extents_of_masks():
    mask = torch.zeros(1, 2, 40, 60)
    mask[0, 0, 10:22, 30:50] = 1  # 12 high, 20 wide
    y, x = torch.arange(40)[:, None] + 0.5, torch.arange(60) + 0.5
    mask[0, 1] = ((y - 20) ** 2 + (x - 15) ** 2 < 8**2).float()
    centre, side = extents(mask)
    assert torch.allclose(centre[0], torch.tensor([[40.0, 16.0], [15.0, 20.0]]), atol=0.1)
    assert torch.allclose(side[0], torch.tensor([[20.0, 12.0], [16.0, 16.0]]), rtol=0.1)


def test_a_run_exports_a_checkpoint_that_encodes(vlegen, sprites, picture, tmp_path):
    settings = ["train.batch=2", "train.steps=2", "train.log_every=1", "train.sample_every=2", "proposals=2"]
    sizes = [f"model.{name}={value}".replace(" ", "") for name, value in vars(SMALL).items()]
    ran = vlegen(
        "train", "tokenizer", *settings, *sizes, "supervision=none", f"data.sprites={sprites}", "--out", tmp_path,
        "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    import numpy as np

    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    assert len(VLETokenizer.load(tmp_path / "checkpoint").encode(pixels)) >= 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [("supervision=some", "'some': expected layers or none"), ("proposals=0", "proposals is 0: expected 1 to 32")],
)
def test_what_does_not_fit_is_refused(setting, message):
    with pytest.raises(UserError, match=message):
        configs.load("tokenizer", None, ["data.sprites=pack", setting])
