"""A new host needs the client alone: a throw-away one applies an edit, without a decision of its own about models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import underdrawing.client
from underdrawing.client.engine import Engine
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

from .conftest import PALETTE, drawn, edited

HOST = """
import json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from host.engine import Engine
from host.ensure_model import APPLY, ModelWish, ensure_model, run
from host.frames import Frame
from host.job_status import JobStatus
place = Path(sys.argv[2])
def read(name):
    return Frame(int(sys.argv[3]), int(sys.argv[4]), "RGB", "u8", (place / name).read_bytes())
picture, areas = read("picture"), read("areas")
with Engine.connect(home=Path(sys.argv[5])) as engine:
    wish = ModelWish(APPLY, title="a host", planes={"segments": areas})
    ready = run(engine, ensure_model(wish, picture), lambda follow: JobStatus.of(engine.watch(follow.status.job)))
    reply = engine.apply(ready.model, {"segments": areas}, picture)
    result = engine.result(reply, reply.body["picture"])
    print(json.dumps({"created": ready.created, "box": [reply.body[k] for k in ("x", "y", "width", "height")],
                      "size": [result.width, result.height],
                      "foreign": [n for n in sys.modules if n.startswith(("underdrawing", "numpy", "torch"))]}))
"""


def test_a_script_with_the_client_alone_applies_an_edit(
    own: Path, tmp_path: Path, coffee: np.ndarray, classes: np.ndarray
) -> None:
    with Engine.connect(home=own) as engine:
        # The underdrawing is made by the engine; what the script gets was painted on.
        frame = drawn(classes)
        made = engine.train(frame_of(Picture(coffee)), {"segments": frame}, method="draft", palette=PALETTE)
        engine.watch(str(made["job"]))
    shutil.copytree(Path(underdrawing.client.__file__).parent, tmp_path / "host")
    (tmp_path / "picture").write_bytes(frame_of(Picture(coffee)).data)
    (tmp_path / "areas").write_bytes(edited(classes).data)
    height, width = coffee.shape[:2]
    words = [str(tmp_path), str(tmp_path), str(width), str(height), str(own)]
    done = subprocess.run([sys.executable, "-P", "-c", HOST, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not told["created"]
    assert told["foreign"] == []
    assert told["size"] == told["box"][2:]
    assert 0 < told["box"][2] <= width
