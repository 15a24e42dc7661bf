"""How an object's size and depth change when it moves over the floor: the law of a level camera, and its horizon."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vle_gen.errors import UserError
from vle_gen.tokens import OBJECT, VLETokens

LEAST_HEIGHT = 0.02  # below the horizon, in canvas units; what is nearer to it stands too far away to be drawn


@dataclass(frozen=True)
class Ground:
    """What is known of a floor before a picture is seen: y = horizon + slope / depth for the centres of objects on it.

    y in canvas units, downwards; depth in the units of the tokens. Horizon and slope are Gaussian over pictures.
    """

    horizon: float
    slope: float
    horizon_std: float
    slope_std: float
    correlation: float
    noise: float  # standard deviation of y about the line: centres of small and large objects differ in height


# Fitted by `python -m vle_gen.training.perspective` to the sprites and the views that the shipped checkpoint learnt from.
GROUND = Ground(
    horizon=-0.1456, slope=6.6379, horizon_std=0.1022, slope_std=0.8337, correlation=-0.7638, noise=0.0186
)


@dataclass(frozen=True)
class Perspective:
    """A camera without roll over a flat floor. Of points at one height above the floor, the distance in the picture
    below the horizon is inverse to depth, and so is size; hence an object grows as its centre gets lower.

    `horizon` is its y in canvas units (downwards; negative above the picture's canvas).
    """

    horizon: float

    @staticmethod
    def of(tokens: VLETokens, ground: Ground = GROUND) -> Perspective:
        """The horizon of one picture, by Bayesian linear regression on the places and depths of its own tokens.

        Tokens that carry their source's detail are taken as they were there, so that a move can be undone exactly.
        """
        objects = tokens.kind[0].cpu() == OBJECT
        if tokens.detail is not None:
            where, depth = tokens.detail.where[1:], tokens.detail.depth[1:]
        else:
            where, depth = tokens.where[0].cpu()[objects], tokens.depth[0].cpu()[objects]
        inverse = 1 / depth.double().clamp(min=1e-3)
        inputs = torch.stack([torch.ones_like(inverse), inverse], 1)  # (K, 2)
        shared = ground.correlation * ground.horizon_std * ground.slope_std
        covariance = torch.tensor([[ground.horizon_std**2, shared], [shared, ground.slope_std**2]], dtype=torch.float64)
        before = torch.linalg.inv(covariance)
        mean = torch.tensor([ground.horizon, ground.slope], dtype=torch.float64)
        precision = before + inputs.T @ inputs / ground.noise**2
        line = torch.linalg.solve(precision, before @ mean + inputs.T @ where[:, 1].double() / ground.noise**2)
        return Perspective(float(line[0]))

    def scale(self, y: float, y_new: float) -> float:
        """How much larger an object is whose centre moves from `y` to `y_new` (canvas units); its depth is divided by it.

        Raises:
            UserError: one of the two is not below the horizon, where no floor is.
        """
        for value, verb in ((y, "stands"), (y_new, "would stand")):
            if value - self.horizon < LEAST_HEIGHT:
                raise UserError(
                    f"in perspective the object {verb} at the horizon or above it ({value:.2f} of the canvas, the horizon is "
                    f"at {self.horizon:.2f}): move it less far up, or without perspective"
                )
        return (y_new - self.horizon) / (y - self.horizon)


def view_of(tokens: VLETokens, perspective: Perspective | bool | None) -> Perspective | None:
    """What `perspective` of an edit means: None for none. Raises `UserError` for what is neither a truth value nor a view."""
    if isinstance(perspective, Perspective):
        return perspective
    if not isinstance(perspective, bool | np.bool_ | None):
        raise UserError(f"{perspective!r} is no perspective: expected True, False or a Perspective")
    return Perspective.of(tokens) if perspective else None
