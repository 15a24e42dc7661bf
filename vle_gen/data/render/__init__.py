"""Rendering the `solids` pack with Blender's Python module: sprites and whole scenes, planned by a seed.

`palette` names shapes, materials and colours, `plan` decides what stands where, `camera` projects, `meshes` gives the
surfaces, `stage` is Blender (the only module that imports `bpy`, and only inside a worker), `cutout` turns pictures
into sprites, `sprites` and `scenes` are one piece of work each, and `job` hands them to worker processes.
"""
