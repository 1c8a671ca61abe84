"""Run a script or a module as ``python script.py`` or ``python -m module`` would."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import io
import runpy
import sys
from pathlib import Path
from types import CodeType, ModuleType

from unstuck.core.errors import BadInput


def load_script(path: str) -> CodeType:
    """Read and compile a script; a syntax error is raised as such, with the script's own place."""
    file = Path(path)
    if not file.exists():
        near = sorted(p.name for p in file.parent.glob("*.py"))[:6] if file.parent.is_dir() else []
        raise BadInput(
            "script", got=path, want="a Python file", hint=f"there are {', '.join(near)}" if near else "no such file"
        )
    if file.is_dir():
        raise BadInput("script", got=path, want="a Python file", hint="for a package with __main__.py use -m NAME")
    with io.open_code(str(file.absolute())) as stream:
        source = stream.read()
    return compile(source, str(file.absolute()), "exec", dont_inherit=True)


def find_module(name: str) -> None:
    """Raise BadInput when ``python -m name`` would not find anything to run."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
    except ModuleNotFoundError:
        spec = None
    if spec is None:
        raise BadInput("-m", got=name, want="a module or a package with __main__.py", hint="is it on sys.path?")


def become_main() -> ModuleType:
    """A fresh ``__main__``: what data loaders and pickles look the script's names up in."""
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    return module


def run_script(code: CodeType, path: str, arguments: list[str]) -> None:
    """Execute a compiled script as ``__main__``; whatever it raises goes through."""
    absolute = str(Path(path).absolute())
    sys.argv[:] = [path, *arguments]
    sys.path.insert(0, str(Path(path).resolve().parent))
    module = become_main()
    loader = importlib.machinery.SourceFileLoader("__main__", absolute)
    module.__dict__.update(__file__=absolute, __loader__=loader, __package__=None, __spec__=None, __cached__=None)
    if sys.version_info < (3, 14):  # later versions make it only when it is used
        module.__dict__.setdefault("__annotations__", {})
    exec(code, module.__dict__)


def run_module(name: str, arguments: list[str]) -> None:
    """Execute a module as ``python -m name`` would; whatever it raises goes through."""
    sys.argv[:] = [name, *arguments]
    become_main()
    as_main = getattr(runpy, "_run_module_as_main", None)
    if as_main is not None:  # what python -m itself calls: the module stays in place until the interpreter ends
        as_main(name, alter_argv=True)
    else:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
