"""What ``unstuck run`` says of the examples: each sick script named first, on three seeds; nothing said of the others."""

import pytest
from score import absent, row, truth_of, truths, watch

SEEDS = (0, 1, 2)
QUICK = (
    "sick/l203_breast_cancer.py",
    "mended/l203_breast_cancer.py",
    "sick/d102_breast_cancer_log.py",
    "sick/g307_diabetes_numpy.py",
    "sick/u409_wine_reset.py",
    "mended/u409_wine_reset.py",
    "sick/l205_diabetes.py",
    "healthy/diabetes_linear.py",
)


def judged(script, seed, folder):
    """Run it and assert what the truth says."""
    outcome = watch(truth_of(script), seed, folder=folder)
    assert outcome.report is not None, f"no report, exit status {outcome.status}:\n{outcome.errors}"
    assert outcome.status == 0, outcome.errors
    assert outcome.statuses["crashed"] == 0, [c for c in outcome.report["checks"] if c["status"] == "crashed"]
    said = "\n".join([row(outcome), *(f["sentence"] for f in outcome.report["findings"])])
    assert outcome.right, f"expected {outcome.truth.codes or 'no warning and no error'}:\n{said}"
    assert outcome.verdict_right, f"expected {outcome.truth.verdicts}:\n{outcome.report['verdict']['sentence']}\n{said}"


@pytest.mark.parametrize("script", QUICK)
def test_a_sample_is_judged_rightly(script, tmp_path):
    judged(script, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", [truth.script for truth in truths()])
def test_every_example_is_judged_rightly(script, seed, tmp_path):
    if absent(script):
        pytest.skip(absent(script))
    judged(script, seed, tmp_path)
