"""How the surfaces of solids shine."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """Numbers of Blender's principled shader, each 0..1."""

    roughness: float
    metallic: float
    specular: float
    coat: float = 0.0


_SURFACES = {
    "rubber": Surface(roughness=0.7, metallic=0.0, specular=0.2),
    "metal": Surface(roughness=0.22, metallic=1.0, specular=0.5),
    "ceramic": Surface(roughness=0.4, metallic=0.0, specular=0.5, coat=1.0),
}


def surface_of(material: str) -> Surface:
    """How a material of the palette shines."""
    return _SURFACES[material]
