"""The grain of a background, such as a lawn's, where something hides it: none can tell what is there, but what lies beside it
in the same rows is as coarse and as rough."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.imaging.filters import nearby
from vle_gen.inpainting.working_size import cell_of
from vle_gen.segmentation.outlines import around_mask

FINE = 0.02  # of the longer side: what varies within squares of this radius is grain
SHARE = 0.5  # of the grain's strength: all of it would look like what is beside it, and none would err least
CLEAREST = 1.5  # times its mean strength that grain is at most
MOST = 8  # steps along rows by which grain is fetched


def grain_of(difference: Tensor, known: Tensor, wanted: Tensor) -> Tensor:
    """Grain (3, h, w) where it is `wanted`, 0 elsewhere.

    Args:
        difference: (3, h, w) of a picture from what can be told of its background.
        known: (1, h, w) 1 where the picture shows the background as it is, 0 elsewhere.
        wanted: (1, h, w) 1 where it shows nothing of it.
    """
    missing, result = wanted * (1 - known), torch.zeros_like(difference)
    window = around_mask(missing[0], 0)
    if window.empty:
        return result
    grain = nearby(difference, known, max(2, round(FINE * max(known.shape[-2:]))))
    grain = torch.sub(difference, grain, out=grain).mul_(known)
    del difference  # of a large picture it takes much memory
    usual = float(torch.linalg.vector_norm(grain, 1) / (3 * known.sum()).clamp(min=1))
    grain.clamp_(-CLEAREST * usual, CLEAREST * usual)  # what stands out is no grain
    width, rows = known.shape[-1], slice(window.top, window.bottom)
    cell = cell_of(known.shape[-2:])
    places = -(-width // cell)
    length = 1 << (2 * places - 1).bit_length()
    of_known = torch.fft.rfft(known[0, rows][::cell, ::cell], length)
    for _ in range(MOST):
        of_missing = torch.fft.rfft(missing[0, rows][::cell, ::cell], length)
        reached = torch.fft.irfft((of_missing.conj() * of_known).sum(0), length)
        step = int(reached.argmax())  # by which most is reached that shows the background
        if float(reached[step]) < 1:
            break
        step = cell * (step if step < places else step - length)
        here = slice(max(window.left, -step), min(window.right, width - step))
        there = slice(here.start + step, here.stop + step)
        found = missing[:, rows, here] * known[:, rows, there]
        result[:, rows, here] += grain[:, rows, there] * found
        missing[:, rows, here] *= 1 - found
    return result.mul_(SHARE)
