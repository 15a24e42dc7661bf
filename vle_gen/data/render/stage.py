"""Blender: a floor, CLEVR's lights, solids, and Cycles. The only module that imports `bpy`; import it in a worker alone."""
from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from vle_gen.data.render.lights import LAMPS, MIRRORED, WORLD, Lamp
from vle_gen.data.render.materials import Surface, surface_of
from vle_gen.data.render.meshes import mesh_of
from vle_gen.data.render.plan import Rig, Solid

FLOOR_COLOR = 0.8
FLOOR_SIDE = 400.0

Box = tuple[int, int, int, int]  # left, top, right, bottom in whole pixels, right and bottom outside


class Stage:
    """One Blender scene, used again for every picture. `threads` of the CPU per picture."""

    def __init__(self, threads: int = 1):
        self.meshes: dict[str, bpy.types.Mesh] = {}
        self.materials: dict[tuple, bpy.types.Material] = {}
        self.solids: list[bpy.types.Object] = []
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
            self.scene = bpy.context.scene
            self._set_up(threads)
            self._floor()
            self.lamps = [self._lamp(name, lamp) for name, lamp in LAMPS.items()]
            self.camera = self._added("camera", bpy.data.cameras.new("camera"))
            self.scene.camera = self.camera

    def set_rig(self, rig: Rig) -> None:
        """Moves camera and lights."""
        render, camera = self.scene.render, rig.camera
        render.resolution_x, render.resolution_y = camera.width, camera.height
        self.camera.data.sensor_width, self.camera.data.lens = 32.0, 35.0
        _aim(self.camera, camera.position)
        for lamp, shift, place in zip(self.lamps, rig.shifts, LAMPS.values(), strict=True):
            _aim(lamp, tuple(a + b for a, b in zip(place.position, shift, strict=True)))

    def set_solids(self, solids: Sequence[Solid]) -> None:
        """Puts these solids on the floor instead of those that stood there."""
        for thing in self.solids:
            bpy.data.objects.remove(thing)
        self.solids = [self._solid(solid) for solid in solids]

    def picture(self, samples: int, seed: int = 0, box: Box | None = None) -> np.ndarray:
        """The scene, or the part of it in `box`, as linear light (H, W, 3) float32, denoised; at most `samples` a pixel."""
        cycles = self.scene.cycles
        cycles.samples, cycles.seed = samples, seed
        cycles.use_adaptive_sampling = box is None  # whole pictures are mostly floor, which needs the fewest samples
        self._set_box(box)
        return self._rendered()[..., :3]

    def _set_up(self, threads: int) -> None:
        render = self.scene.render
        render.engine = "CYCLES"
        render.threads_mode, render.threads = "FIXED", threads
        render.use_persistent_data = True
        render.resolution_percentage = 100
        render.image_settings.file_format = "OPEN_EXR"
        render.image_settings.color_mode = "RGBA"
        render.image_settings.color_depth = "32"
        render.filter_size = 1.5
        cycles = self.scene.cycles
        cycles.device = "CPU"
        cycles.adaptive_threshold, cycles.adaptive_min_samples = 0.1, 8
        cycles.use_light_tree = False  # three lamps
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 4
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        cycles.denoising_prefilter = "ACCURATE"  # metal makes the other passes noisy too
        cycles.blur_glossy = 1.0
        cycles.sample_clamp_indirect = 4.0
        cycles.caustics_refractive = False
        self.scene.world = _world()

    def _set_box(self, box: Box | None) -> None:
        render = self.scene.render
        render.use_border = render.use_crop_to_border = box is not None
        if box is not None:
            width, height = render.resolution_x, render.resolution_y
            left, top, right, bottom = (side + 0.5 for side in box)  # Blender rounds down
            render.border_min_x, render.border_max_x = left / width, min(right / width, 1.0)
            render.border_min_y, render.border_max_y = (height + 1 - bottom) / height, min((height + 1 - top) / height, 1.0)

    def _rendered(self) -> np.ndarray:
        """The picture as Blender hands it out, by a file: (H, W, 4) float32."""
        handle, name = tempfile.mkstemp(prefix="vlegen-", suffix=".exr")
        os.close(handle)
        self.scene.render.filepath = name
        try:
            with _quiet():
                bpy.ops.render.render(write_still=True)
                image = bpy.data.images.load(name)
            columns, rows = image.size
            pixels = np.empty(rows * columns * 4, np.float32)
            image.pixels.foreach_get(pixels)
            bpy.data.images.remove(image)
        finally:
            Path(name).unlink()
        return pixels.reshape(rows, columns, 4)[::-1]

    def _floor(self) -> bpy.types.Object:
        mesh = bpy.data.meshes.new("floor")
        side = FLOOR_SIDE / 2
        mesh.from_pydata([(-side, -side, 0), (side, -side, 0), (side, side, 0), (-side, side, 0)], [], [(0, 1, 2, 3)])
        mesh.materials.append(_material("floor", Surface(roughness=1.0, metallic=0.0, specular=0.0), 3 * (FLOOR_COLOR,)))
        return self._added("floor", mesh)

    def _lamp(self, name: str, lamp: Lamp) -> bpy.types.Object:
        data = bpy.data.lights.new(name, "AREA")
        data.size, data.energy, data.color = lamp.side, lamp.watts, lamp.color
        return self._added(name, data)

    def _solid(self, solid: Solid) -> bpy.types.Object:
        if solid.shape not in self.meshes:
            self.meshes[solid.shape] = _mesh(solid.shape)
        look = (solid.material, solid.rgb)
        if look not in self.materials:
            color = tuple(value / 255 for value in solid.rgb)
            self.materials[look] = _material(str(look), surface_of(solid.material), color)
        thing = self._added(solid.shape, self.meshes[solid.shape])
        thing.location, thing.rotation_euler[2] = solid.xyz, solid.rotation
        thing.scale = 3 * (solid.radius,)
        thing.material_slots[0].link = "OBJECT"
        thing.material_slots[0].material = self.materials[look]
        return thing

    def _added(self, name: str, data: bpy.types.ID) -> bpy.types.Object:
        thing = bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(thing)
        return thing


def _world() -> bpy.types.World:
    """An even glow, weaker where a mirror shows it."""
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.cycles.sampling_method = "NONE"  # an even glow needs none
    nodes, links = world.node_tree.nodes, world.node_tree.links
    path, strength = nodes.new("ShaderNodeLightPath"), nodes.new("ShaderNodeMapRange")
    strength.inputs["To Min"].default_value, strength.inputs["To Max"].default_value = 1.0, MIRRORED
    links.new(path.outputs["Is Glossy Ray"], strength.inputs["Value"])
    links.new(strength.outputs["Result"], nodes["Background"].inputs["Strength"])
    nodes["Background"].inputs["Color"].default_value = (*WORLD, 1.0)
    return world


def _mesh(shape: str) -> bpy.types.Mesh:
    surface, mesh = mesh_of(shape), bpy.data.meshes.new(shape)
    mesh.from_pydata(surface.vertices.tolist(), [], surface.faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(surface.faces), bool))
    mesh.normals_split_custom_set_from_vertices(surface.normals.tolist())
    mesh.materials.append(None)
    return mesh


def _material(name: str, surface: Surface, color: Sequence[float]) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    inputs = material.node_tree.nodes["Principled BSDF"].inputs
    inputs["Base Color"].default_value = (*color, 1.0)
    inputs["Roughness"].default_value = surface.roughness
    inputs["Metallic"].default_value = surface.metallic
    inputs["Specular IOR Level"].default_value = surface.specular
    inputs["Coat Weight"].default_value = surface.coat
    inputs["Coat Roughness"].default_value = 0.03
    return material


def _aim(thing: bpy.types.Object, position: Sequence[float]) -> None:
    """Puts a camera or light there, its -z towards the origin and its y up."""
    thing.location = position
    thing.rotation_euler = (-Vector(position)).to_track_quat("-Z", "Y").to_euler()


class _quiet:
    """What Blender prints goes nowhere: it writes to the process's output, past Python."""

    def __enter__(self) -> None:
        self.kept = [os.dup(stream) for stream in (1, 2)]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)

    def __exit__(self, *_: object) -> None:
        for stream, kept in zip((1, 2), self.kept, strict=True):
            os.dup2(kept, stream)
            os.close(kept)
