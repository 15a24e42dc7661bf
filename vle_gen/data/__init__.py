"""Training data: sprite packs, the composition engine, and whole rendered scenes, all as `SceneBatch`."""
