"""Where runs and checkpoints are written: what cannot be is said before the work, and others may read what was written."""
from __future__ import annotations

import os
import stat

import pytest

from vle_gen.errors import UserError
from vle_gen.io.image_files import require_folder, require_writable
from vle_gen.prior.model import TextToTokenPrior


@pytest.mark.parametrize("command", [("train", "tokenizer", "data.sprites=PACK", "--out"), ("assemble", "nothing", "-o")])
def test_a_file_on_the_way_is_named(vlegen, tmp_path, sprites, command):
    command = [part.replace("PACK", str(sprites)) for part in command]
    (tmp_path / "file").touch()
    ran = vlegen(*command, tmp_path / "file" / "run")
    assert ran.status == 2 and len(ran.err.splitlines()) == 1 and str(tmp_path / "file") in ran.err


def test_folders_that_are_empty_or_not_there_will_do(tmp_path):
    require_folder(tmp_path)
    require_folder(tmp_path / "a" / "b")
    with pytest.raises(UserError, match="is a file; expected a folder"):
        require_folder(__file__)
    with pytest.raises(UserError, match="cannot write"):
        require_writable(f"{__file__}/x.json")


def test_weights_have_the_permissions_of_other_files(tmp_path):
    TextToTokenPrior(text_width=8, what_dim=4, width=8, blocks=1, heads=1, text_blocks=1, flow_width=8, flow_blocks=1, bins=2,
                     codes=17).save_checkpoint(tmp_path)  # fmt: skip
    (tmp_path / "other").touch()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(set(modes.values())) == 1 and os.access(tmp_path / "config.json", os.R_OK), modes
