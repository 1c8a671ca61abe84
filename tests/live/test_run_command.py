"""``unstuck run`` on scripts of every kind: what the script sees, how it ends, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import ENVIRONMENT, plain, watched

QUIET = ("--quiet",)
TRAIN = """
import sys, torch
torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
def train(steps):
    for step in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""


def write(folder: Path, text: str, name: str = "train.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_script_sees_what_python_would_show_it(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    write(folder, "VALUE = 42\n", "neighbor.py")
    script = write(
        folder,
        "import os, sys, pickle, neighbor\n"
        "class Thing: pass\n"
        "print(sys.argv, __name__, __file__, os.getcwd(), sys.path[0], neighbor.VALUE)\n"
        "print(__package__, __spec__, __doc__, type(__builtins__).__name__, sorted(globals()))\n"
        "print(pickle.loads(pickle.dumps(Thing())).__class__ is sys.modules['__main__'].Thing)\n"
        "print(sys.stdin.read(), sys.flags, sys.stdout.isatty())\n",
    )
    command = [sys.executable, str(script), "--epochs", "3", "-m", "x"]
    before = subprocess.run(command, cwd=tmp_path, input="typed", capture_output=True, text=True, env=ENVIRONMENT)
    after = subprocess.run(
        [sys.executable, "-m", "unstuck", "run", "-q", str(script), "--epochs", "3", "-m", "x"],
        cwd=tmp_path, input="typed", capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert after.stdout == before.stdout
    assert after.returncode == before.returncode == 0


def test_a_module_runs_as_with_python_m(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    write(package, "", "__init__.py")
    write(package, "import sys\nprint(__name__, __package__, sys.argv[1:], sys.path[0])\nsys.exit(3)\n", "train.py")
    before = subprocess.run(
        [sys.executable, "-m", "package.train", "a"], cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT
    )
    after = watched("-m", "package.train", "a", cwd=tmp_path, options=QUIET)
    assert (after.status, after.out) == (before.returncode, before.stdout)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("for x in range(3)\n    print(x)\n", "SyntaxError"),
        (None, "no such file"),
    ],
)
def test_a_script_that_cannot_start_ends_with_two_and_says_why(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        write(tmp_path, text)
    ran = watched("train.py", cwd=tmp_path)
    assert ran.status == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.glob(".unstuck/runs/*"))


def test_a_module_that_does_not_exist(tmp_path: Path) -> None:
    ran = watched("-m", "no_such_package.train", cwd=tmp_path)
    assert ran.status == 2
    assert "no_such_package.train" in ran.err


@pytest.mark.parametrize("option", [("--overhead", "3"), ("--fail-on", "always"), ("--json", "/no/such/folder/x.json")])
def test_a_wrong_option_ends_with_two_before_anything_runs(tmp_path: Path, option: tuple[str, str]) -> None:
    write(tmp_path, "open('ran', 'w')\n")
    done = subprocess.run(
        [sys.executable, "-m", "unstuck", "run", *option, "train.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert not (tmp_path / "ran").exists()


def test_an_exception_shows_the_scripts_own_traceback(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        TRAIN
        + "train(30)\ndef deep(n):\n    if n == 0:\n        (model(x) + 'a').backward()\n    deep(n - 1)\ndeep(2)\n",
    )
    before = plain(script, cwd=tmp_path)
    after = watched(script, cwd=tmp_path, options=QUIET)
    assert after.status == before.status == 1
    assert after.err == before.err
    assert after.report is not None
    exception = after.report["run"]["exit"]["exception"]
    assert exception["type"] == "TypeError"
    assert exception["line"]["line"] == 16
    assert after.report["run"]["steps"] == 30


def test_an_error_inside_backward_has_no_frames_of_unstuck(tmp_path: Path) -> None:
    script = write(tmp_path, TRAIN + "train(25)\nwith torch.no_grad():\n    loss = model(x).sum()\nloss.backward()\n")
    before = plain(script, cwd=tmp_path)
    after = watched(script, cwd=tmp_path, options=QUIET)
    assert after.err == before.err
    assert "unstuck" not in after.err


@pytest.mark.parametrize(
    ("text", "steps"),
    [("print('no torch here')\n", 0), ("import torch\nprint(torch.ones(2).sum())\n", 0)],
    ids=["no-torch", "no-backward"],
)
def test_a_script_without_training_gets_a_plain_answer(tmp_path: Path, text: str, steps: int) -> None:
    ran = watched(write(tmp_path, text), cwd=tmp_path)
    assert ran.status == 0
    assert ran.report is not None
    assert ran.report["run"]["steps"] == steps
    assert ran.report["verdict"]["state"] == "unknown"
    assert ran.report["findings"] == []
    assert "Traceback" not in ran.err


def test_exit_codes_and_fail_on(tmp_path: Path) -> None:
    sick = write(
        tmp_path,
        TRAIN.replace("model(x), y", "torch.softmax(model(x), 1), y") + "train(40)\nsys.exit(int(sys.argv[1]))\n",
    )
    assert watched(sick, "0", cwd=tmp_path, options=QUIET).status == 0
    assert watched(sick, "0", cwd=tmp_path, options=(*QUIET, "--fail-on", "warning")).status == 1
    assert watched(sick, "5", cwd=tmp_path, options=(*QUIET, "--fail-on", "warning")).status == 5


def test_interrupt_keeps_the_recording_and_the_signal(tmp_path: Path) -> None:
    script = write(
        tmp_path, TRAIN + "import os, signal\ntrain(50)\nprint('ready', flush=True)\nimport time\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "unstuck", "run", "--json", "out.json", str(script)],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell starts what it sends to the background with the signal ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in err
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["run"]["steps"] == 50


@pytest.mark.parametrize(
    ("steps", "pause", "lost"), [(777, 0.0, 777), (60, 0.01, 0)], ids=["short-steps", "long-steps"]
)
def test_kill_nine_keeps_all_but_the_last_moment(tmp_path: Path, steps: int, pause: float, lost: int) -> None:
    text = TRAIN.replace("optimizer.step()", f"optimizer.step(); import time; time.sleep({pause})")
    script = write(
        tmp_path,
        text + f"import os, signal, time\ntrain({steps})\nbegan = time.time()\ntrain({steps})\n"
        "print(time.time() - began, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n",
    )
    ran = watched(script, cwd=tmp_path)
    assert ran.status == 128 + signal.SIGKILL
    assert ran.report is not None
    kept = ran.report["run"]["steps"]
    assert kept <= 2 * steps
    # Short steps are written four times a second, long ones at once.
    most_lost = steps * 0.3 / float(ran.out) + 1 if lost else 0
    assert kept >= 2 * steps - most_lost
    assert ran.report["curves"]


def test_a_kill_of_the_command_takes_the_script_with_it(tmp_path: Path) -> None:
    script = write(tmp_path, "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "unstuck", "run", str(script)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the script went on")


def test_a_rule_that_raises_becomes_a_crashed_check(tmp_path: Path) -> None:
    from unstuck.findings import catalog, judge
    from unstuck.record.recording import Recording

    rules = catalog.rules()
    code = sorted(rules)[0]
    original = rules[code].judge
    try:
        rules[code].judge = lambda recording: 1 / 0
        judgement = judge.judge(Recording.of(loss=[2.0, 1.9, 1.8]))
    finally:
        rules[code].judge = original
    check = next(c for c in judgement.checks if c.code == code)
    assert check.status == "crashed"
    assert "ZeroDivisionError" in check.reason


def test_a_probe_that_raises_leaves_the_training_alone(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        "import torch, unstuck.probes\n"
        "def broken(*a, **k): raise RuntimeError('planted')\n"
        "unstuck.probes.loss_terms = unstuck.probes.activations = unstuck.probes.parameter_statistics = broken\n"
        + TRAIN
        + "train(60)\nprint(float(model.weight.sum()))\n",
    )
    before = plain(script, cwd=tmp_path)
    after = watched(script, cwd=tmp_path, options=QUIET)
    assert (after.status, after.out) == (before.status, before.out)
    crashed = [e["data"] for e in after.journal() if e["e"] == "event" and e["kind"] == "crashed"]
    assert {c["probe"] for c in crashed} >= {"loss", "activations", "parameters"}
    assert all("planted" in c["error"] for c in crashed)
    assert after.report is not None
    assert after.report["run"]["steps"] == 60


def test_taps_are_gone_after_a_watch_block(tmp_path: Path) -> None:
    import torch
    from torch.optim import optimizer as optimizers

    import unstuck

    def state() -> tuple:
        return (
            torch.autograd.backward, torch.autograd.grad, torch.nn.Module.train, torch.no_grad.__enter__,
            torch.no_grad.__exit__, torch.inference_mode.__enter__, torch.amp.GradScaler.scale, torch.compile,
            torch.nn.utils.clip_grad_norm_, torch.utils.data.DataLoader.__iter__,
            torch.autograd.graph.saved_tensors_hooks.__enter__,
            len(optimizers._global_optimizer_post_hooks), len(optimizers._global_optimizer_pre_hooks),
            len(torch.nn.modules.module._global_forward_pre_hooks),
        )  # fmt: skip

    before = state()
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="mine"), unstuck.watch(model, optimizer, folder=tmp_path, quiet=True):
        for _ in range(30):
            optimizer.zero_grad()
            model(torch.randn(8, 3)).pow(2).mean().backward()
            optimizer.step()
        assert state() != before
        raise ValueError("mine")
    assert state() == before


def test_torchrun_writes_one_journal_a_rank(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        "import torch, torch.distributed as dist\n"
        "from torch.nn.parallel import DistributedDataParallel\n"
        "dist.init_process_group('gloo')\n"
        "torch.manual_seed(dist.get_rank())\n"
        "model = DistributedDataParallel(torch.nn.Linear(4, 2))\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for step in range(40):\n"
        "    optimizer.zero_grad()\n"
        "    loss = torch.nn.functional.cross_entropy(model(torch.randn(16, 4)), torch.randint(0, 2, (16,)))\n"
        "    loss.backward()\n"
        "    optimizer.step()\n"
        "print('weights', [round(float(w), 6) for w in model.module.weight.flatten()])\n"
        "dist.destroy_process_group()\n",
    )
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29871",
         "-m", "unstuck", "run", "--json", "out.json", str(script)],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / ".unstuck" / "runs").iterdir()
    assert len(list(run.glob("journal-0-*.jsonl"))) == 1
    assert len(list(run.glob("journal-1-*.jsonl"))) == 1
    weights = [line for line in done.stdout.splitlines() if "weights" in line]
    assert len(set(weights)) == 1
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["run"]["steps"] == 40
