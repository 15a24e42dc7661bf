"""Learns a checkpoint's `TokenCode` from the tokens that it writes for pictures."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vle_gen.compact.code import GEOMETRY, TokenCode, Transform
from vle_gen.compact.density import UNIT, Density
from vle_gen.data.compose import Engine
from vle_gen.data.scenes import SceneStore
from vle_gen.tokenizer.loop import PictureCode, encode_picture
from vle_gen.tokenizer.network import TokenizerNetwork

if TYPE_CHECKING:
    from vle_gen.tokenizer.model import VLETokenizer

LEAST_TOKENS = 64  # object tokens without which statistics would mean nothing
PROBES = 48  # tokens at which the decoder's sensitivity is measured
FEW_PROBES = 12  # the same, where it need only be known roughly
NUDGE = 0.05  # of one number of `what`, for that
LEAST_SENSITIVITY = 1e-3  # of the mean one: what hardly shows is still kept near
RIDGE = 1e-4
SHAPE_COUNTS = 0.3  # of a silhouette's error beside a colour's, where likeness is judged
GREY = 0.45  # what a layer is seen against


def training_pictures(
    composer: Engine, scenes: SceneStore | None, count: int, seed: int = 0, batch: int = 8
) -> Iterable[Tensor]:
    """Pictures (3, H, W), 0..1, in random views: composed scenes, on the composer's device, and, of every other batch, whole
    ones where there are any."""
    from vle_gen.training.tokenizer import SHAPES, random_view

    generator = torch.Generator(composer.device).manual_seed(seed)
    for turn, start in enumerate(range(0, count, batch)):
        number, (height, width) = min(batch, count - start), SHAPES[turn % 3 == 2]
        view = random_view(number, height, width, generator)
        source = scenes if scenes is not None and turn % 2 else composer
        yield from source(number, generator, height, width, view).image


def fit_code(tokenizer: VLETokenizer, pictures: Iterable[Tensor], seed: int = 0, probes: int = PROBES) -> int:
    """Stores statistics of the tokens of `pictures`, each (3, H, W) 0..1 on the tokenizer's device, in the tokenizer. At so
    many `probes`, tokens of each kind, the decoder's sensitivity is measured, which takes most of the time.

    Returns how many object tokens they are of. With fewer than 64, nothing is stored; a network that finds next to
    nothing in the first pictures is not shown the others.
    """
    codes: list[PictureCode] = []
    for picture in pictures:
        codes.append(encode_picture(tokenizer.network, picture))
        if len(codes) == LEAST_TOKENS and sum(len(one.what) - 1 for one in codes) < LEAST_TOKENS // 4:
            break
    count = sum(len(one.what) - 1 for one in codes)
    if count < LEAST_TOKENS:
        return count
    network, code = tokenizer.network, TokenCode(tokenizer.network.sizes.what)
    kept = code.coefficients
    scene_what = torch.cat([one.what[:1] for one in codes])
    object_what, where = torch.cat([one.what[1:] for one in codes]), torch.cat([one.where[1:] for one in codes])
    scene, scene_values = fit_transform(scene_what, lambda what: _seen_scene(network, what), kept, seed, probes)
    objects, object_values = fit_transform(object_what, lambda what: _seen_layer(network, what), kept, seed, probes)
    depth, score = (_array(torch.cat([getattr(one, name)[1:] for one in codes])) for name in ("depth", "score"))
    x, y, width, height = _array(where).T
    geometry = np.stack([np.log2(width), np.log2(height / width), y, depth, x, score], 1)  # as in GEOMETRY
    weights, residuals = fit_prediction(object_values, geometry)
    columns = [*scene_values.T, *object_values.T, *residuals.T]
    code.store(scene, objects, weights, [Density.fit(column * UNIT) for column in columns])
    tokenizer.take_code(code)
    return count


@torch.no_grad()
def fit_transform(
    what: Tensor, decode: Callable[[Tensor], Tensor], kept: int, seed: int, probes: int = PROBES
) -> tuple[Transform, np.ndarray]:
    """The Karhunen-Loeve transform of what (N, D) in the decoder's own metric, and the coefficients (N, kept).

    With M the mean of J^T J over tokens, J the Jacobian of `decode`, a change c of `what` changes the decoded pixels by
    about c^T M c. `forward` is M^(1/2) U, where U are the principal axes of M^(1/2) `what`.
    """
    generator = torch.Generator().manual_seed(seed)
    metric, nudges = 0.0, NUDGE * torch.eye(what.shape[1], device=what.device)
    for index in torch.randperm(len(what), generator=generator)[:probes].tolist():
        slope = _array(decode(what[index] + nudges) - decode(what[index] - nudges)) / (2 * NUDGE)  # (D, pixels)
        metric = metric + slope @ slope.T
    metric = metric / min(probes, len(what))
    metric += np.eye(len(metric)) * (LEAST_SENSITIVITY * np.trace(metric) / len(metric) + 1e-12)
    values, axes = np.linalg.eigh(metric)
    root, inverse = (axes * np.sqrt(values)) @ axes.T, (axes / np.sqrt(values)) @ axes.T
    mean = _array(what).mean(0)
    scaled = (_array(what) - mean) @ root
    turn = np.linalg.eigh(scaled.T @ scaled)[1][:, ::-1][:, :kept]
    transform = Transform(mean, root @ turn, turn.T @ inverse)
    return transform, scaled @ turn


def seen_gauges(network: TokenizerNetwork, scene_what: Tensor, object_what: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Of scene tokens and of object tokens, given examples (.., D): (D, D), times which a difference of `what` has the
    length of the difference that is seen."""

    def gauge(what: Tensor, decode: Callable[[Tensor], Tensor]) -> Tensor:
        transform, _ = fit_transform(what, decode, what.shape[1], seed, FEW_PROBES)
        return torch.from_numpy(transform.forward).to(what)

    scene = gauge(scene_what, lambda what: _seen_scene(network, what))
    return scene, gauge(object_what, lambda what: _seen_shape(network, what))


def fit_prediction(coefficients: np.ndarray, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of each column of geometry (N, 6) on 1, the coefficients (N, K) and the columns before it.

    The weights (1 + K + 6, 6), zero where a column does not come before, and what is left (N, 6).
    """
    inputs = np.concatenate([np.ones((len(geometry), 1)), coefficients, geometry], 1)
    weights, left = np.zeros((inputs.shape[1], len(GEOMETRY))), np.empty_like(geometry)
    for k in range(len(GEOMETRY)):
        used = inputs[:, : 1 + coefficients.shape[1] + k]
        scale = np.sqrt((used**2).mean(0)) + 1e-4  # coefficients that hardly vary are of no use
        squares = (used / scale).T @ (used / scale) / len(used)
        solution = np.linalg.solve(squares + RIDGE * np.eye(len(squares)), (used / scale).T @ geometry[:, k] / len(used))
        weights[: used.shape[1], k] = solution / scale
        left[:, k] = geometry[:, k] - used @ weights[: used.shape[1], k]
    return weights, left


def _seen_layer(network: TokenizerNetwork, what: Tensor) -> Tensor:
    """What shows of object tokens' layers, scaled so that its squared length is a mean over pixels: (K, pixels)."""
    layers = network.glimpse_decoder(what)
    shown = (layers.colour - GREY) * layers.alpha
    return shown.flatten(1) / shown.shape[-1]


def _seen_shape(network: TokenizerNetwork, what: Tensor) -> Tensor:
    """As `_seen_layer`, with the silhouette as one more colour, so that grey things have a shape on a grey floor."""
    layers = network.glimpse_decoder(what)
    shown = torch.cat([(layers.colour - GREY) * layers.alpha, SHAPE_COUNTS * layers.solid], 1)
    return shown.flatten(1) / shown.shape[-1]


def _seen_scene(network: TokenizerNetwork, what: Tensor) -> Tensor:
    """As `_seen_layer`, of scene tokens."""
    colours = network.background_decoder(what)
    return colours.flatten(1) / colours.shape[-1]


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.double().cpu().numpy()
