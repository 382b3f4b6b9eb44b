"""docs/your_own_network.md, run from start to end."""

import torch
from guides import blocks

from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import network


def test_the_code_of_the_page_runs():
    names = {"__name__": "guide"}
    for _, code in blocks("your_own_network.md"):
        exec(compile(code, "your_own_network.md", "exec"), names)
    assert names["card"]["about"] == "my backbone"


def test_its_module_is_one_for_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = [code for file, code in blocks("your_own_network.md") if file == "my_nets.py"]
    (tmp_path / "my_nets.py").write_text(code)
    encoder, backbone = (network(f"my_nets:{name}", 5, side=64, channels=3) for name in ("encoder", "backbone"))
    x = torch.rand(2, 3, 64, 64)
    assert ProtoNet(encoder).net(x).shape == backbone(x).shape == (2, 5)
    assert MAML(encoder).engine == "vmap" and [*MAML(backbone).theta()] == ["head.weight", "head.bias"]
