"""The command that ran this recording, to be shown as the next thing to type."""

from __future__ import annotations

import shlex

from unstuck.record.recording import Recording


def run_again(recording: Recording) -> str:
    """``unstuck run`` with the script and the arguments of this run.

    >>> run_again(Recording(head={"script": "train.py", "argv": ["train.py", "--epochs", "5"]}))
    'unstuck run train.py --epochs 5'
    """
    script = str(recording.head.get("script") or "train.py")
    argv = [str(a) for a in recording.head.get("argv") or ()]
    if argv and argv[0].endswith(script.rsplit("/", 1)[-1]):
        argv = argv[1:]
    return shlex.join(["unstuck", "run", script, *argv])


def run_with_probe(recording: Recording) -> str:
    """The same with ``--probe``: short trials on copies of the model, once the script has ended.

    >>> run_with_probe(Recording(head={"script": "train.py", "argv": ["train.py", "--epochs", "5"]}))
    'unstuck run --probe train.py --epochs 5'
    """
    return run_again(recording).replace("unstuck run ", "unstuck run --probe ", 1)
