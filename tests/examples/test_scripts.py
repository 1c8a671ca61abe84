"""The example scripts as files: complete, in pairs, and silent about their faults. (Slow: as programs, too.)"""

import ast
import difflib
import math
import re

import pytest
from score import EXAMPLES, absent, plain, truths

TRUTHS = truths()
NAMES = [truth.script for truth in TRUTHS]
SICK = [truth for truth in TRUTHS if truth.sick]
REQUIRED = (
    "D101 D102 D104 D105 D106 L201 L202 L203 L204 L205 L206 L207 L208 L209 L211 G301 G302 G303 G304 G305 G306 G307 G308"
    " U401 U405 U409 U410 U411 B605 T701"
).split()
IN_TWO_STYLES = "D101 L201 L205 U401 U410 U409 G303 B605".split()
TELLING = re.compile(
    r"\b(bugs?|buggy|faults?|faulty|wrong\w*|broken|sick\w*|mistakes?|errors? here|forgot\w*|forget|missing|oops|fixme|todo|"
    r"mend\w*|fixed?|fixes|correct version|should|unstuck|diagnos\w*|incorrect\w*|accidental\w*|intentional\w*|deliberate\w*|"
    r"symptoms?|healthy|cure\w*|stale|dead|dying|vanish\w*|explod\w*|saturat\w*|unscaled|imbalance\w*|broadcast\w*)\b",
    re.IGNORECASE,
)


def test_every_file_has_a_truth_and_every_truth_a_file():
    on_disk = {f"{path.parent.name}/{path.name}" for path in EXAMPLES.glob("*/*.py")}
    assert on_disk == set(NAMES)


def test_every_required_code_has_a_sick_script():
    codes = [truth.codes[0] for truth in SICK]
    assert set(REQUIRED) <= set(codes)
    assert [code for code in IN_TWO_STYLES if codes.count(code) < 2] == []
    assert sum(name.startswith("healthy/") for name in NAMES) >= 16


@pytest.mark.parametrize("truth", SICK, ids=lambda truth: truth.script)
def test_the_name_of_a_sick_script_begins_with_its_code(truth):
    assert truth.script.startswith(f"sick/{truth.codes[0].lower()}_")


@pytest.mark.parametrize("script", NAMES)
def test_a_script_parses_takes_a_seed_and_ends_with_a_figure(script):
    tree = ast.parse((EXAMPLES / script).read_text())
    docstring = ast.get_docstring(tree)
    assert docstring and docstring.endswith((".", "?")) and len(docstring) > 30
    text = ast.unparse(tree)
    assert "'--seed'" in text and "torch.manual_seed(" in text and "np.random.seed(" in text and "random.seed(" in text
    prints = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"]
    assert len(prints) >= 2, "as people's scripts do, it prints its losses and at the end a figure"


@pytest.mark.parametrize("script", NAMES)
def test_nothing_in_the_text_tells(script):
    text = (EXAMPLES / script).read_text()
    prose = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    prose = [line for line in prose if not re.fullmatch(r"\s*(noqa: \w+|fmt: skip)\s*", line)]
    strings = [n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    names = [n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)]
    told = TELLING.search("\n".join([*prose, *strings, *(name.replace("_", " ") for name in names)]))
    assert told is None, f"{told.group()!r} gives it away" if told else ""


@pytest.mark.parametrize("truth", SICK, ids=lambda truth: truth.script)
def test_a_twin_differs_in_few_lines(truth):
    sick = (EXAMPLES / truth.script).read_text().splitlines()
    mended = (EXAMPLES / truth.script.replace("sick/", "mended/")).read_text().splitlines()
    changed = [line for line in difflib.ndiff(sick, mended) if line[:2] in ("- ", "+ ")]
    assert 1 <= len(changed) <= 8
    assert sick[0] == mended[0], "the docstring says what is trained, and both train the same"


def test_the_tables_of_the_readme_name_every_script():
    rows = re.findall(r"^\| `([\w.]+)` \|(.*)$", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(NAMES_OF_ROWS)
    # Three seeds for each, or the first one where the other two are still to be measured.
    assert all(rest.count("·") in (0, 2, 4) and re.search(r"\d", rest.rpartition("|")[0]) for _, rest in rows)


NAMES_OF_ROWS = [truth.script.split("/")[1] for truth in TRUTHS if not truth.script.startswith("mended/")]


def test_the_measured_figures_keep_the_bounds_of_the_truth():
    """The table of the README and truth.json tell the same story, for each seed measured."""
    text = (EXAMPLES / "README.md").read_text()
    for truth in SICK:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{truth.script.split('/')[1]}`"))
        sick, mended = ([float(f) for f in cell.split("·")] for cell in row.strip("| ").split("|")[4:6])
        assert all(not figure > truth.metric["sick_at_most"] for figure in sick), row
        assert all(figure >= truth.metric["mended_at_least"] for figure in mended), row


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.script)
def test_it_runs_under_plain_python_and_fares_as_said(truth, tmp_path):
    if absent(truth.script):
        pytest.skip(absent(truth.script))
    status, metric, errors = plain(truth.script, 0, folder=tmp_path)
    assert status == 0, errors[-2000:]
    assert metric is not None
    if truth.sick:
        assert math.isnan(metric) or metric <= truth.metric["sick_at_most"]
    elif truth.metric:
        assert metric >= truth.metric["mended_at_least"]
    else:
        assert math.isfinite(metric)
