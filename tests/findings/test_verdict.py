"""One verdict per run: each state on literal numbers, the look-alikes beside it, and the order among them."""

from __future__ import annotations

import math
import random

import pytest
from literal_recordings import STEPS, chain, classes, event, learned, numbers, sample, stuck, weight

from unstuck.findings.contract import Verdict
from unstuck.findings.verdict import MEASURED, STATES, verdict
from unstuck.record.recording import Recording, Series, Stream


def noisy(curve: list[float], size: float, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [v + draw.gauss(0, size) for v in curve]


def state(recording: Recording) -> str:
    return verdict(recording).state


class TestDiverging:
    def test_rises(self) -> None:
        found = verdict(Recording.of(loss=noisy([1 + 0.02 * i for i in range(200)], 0.1)))
        assert found.state == "diverging"
        assert "200 steps" in found.sentence

    def test_ends_not_finite(self) -> None:
        found = verdict(Recording.of(loss=[3.0, 9.0, 200.0, *[math.nan] * 20]))
        assert found.state == "diverging"
        assert found.evidence["first_not_finite"] == 3
        assert "200" in found.sentence

    def test_one_odd_loss_is_not_the_end(self) -> None:
        losses = [2.3 * 0.97**i for i in range(100)]
        losses[40] = math.inf
        assert state(Recording.of(loss=losses)) == "learning"

    def test_a_broken_parameter(self) -> None:
        broken = event("nonfinite", 7, where="parameter", name="net.fc.weight")
        assert state(Recording.of(loss=[1.0] * 20, events=[broken])) == "diverging"

    def test_a_negated_loss_that_falls(self) -> None:
        """Minus the cross-entropy goes down: the cross-entropy goes up."""
        samples = [sample(s, term=classes(0.1), loss={"sign": -1}) for s in STEPS]
        found = verdict(Recording.of(loss=[-2.3 * 1.2**i for i in range(60)], samples=samples))
        assert found.state == "diverging"
        assert "negated" in found.sentence

    @pytest.mark.parametrize("seed", range(5))
    def test_a_spike_that_recovers_is_not_diverging(self, seed: int) -> None:
        curve = [0.1 + 2.2 * 0.97**i for i in range(200)]
        curve[120:130] = [8.0] * 10
        assert state(Recording.of(loss=noisy(curve, 0.02, seed))) in ("learning", "converged")

    def test_a_leap_to_a_plateau_below_the_start_is_not_diverging(self) -> None:
        assert state(Recording.of(loss=[30.0, 500.0, 80.0, *[2.303] * 60])) != "diverging"

    def test_a_loss_that_turned_up_but_is_below_its_start_is_not_diverging(self) -> None:
        curve = [2.0 - 0.01 * i for i in range(150)] + [0.5 + 0.002 * i for i in range(100)]
        assert state(Recording.of(loss=noisy(curve, 0.02))) != "diverging"


class TestNoGradient:
    def test_all_zero(self) -> None:
        found = verdict(stuck([sample(s, params=chain([0.0, 0.0])) for s in STEPS]))
        assert found.state == "no-gradient"
        assert found.evidence["since"] == 0

    def test_none_at_all(self) -> None:
        assert state(stuck([sample(s, params=chain([None, None])) for s in STEPS])) == "no-gradient"

    def test_only_the_last_bias_is_alive(self) -> None:
        params = chain([0.0, 0.0, 0.0]) | {"net.2.bias": weight(g=0.13, order=2, role="bias")}
        found = verdict(stuck([sample(s, params=params) for s in STEPS]))
        assert found.state == "no-gradient"
        assert found.evidence["only_biases"] is True

    def test_it_says_since_when(self) -> None:
        samples = [sample(s, params=chain([0.0 if s >= 10 else 1.0] * 2)) for s in (*STEPS, 30, 45, 55)]
        found = verdict(stuck(sorted(samples, key=lambda x: x["s"])))
        assert found.evidence["since"] == 10

    def test_no_graph_and_no_step(self) -> None:
        assert state(Recording(events=[event("no_graph", None, message="does not require grad")])) == "no-gradient"

    def test_a_gradient_that_came_back_after_the_last_sample(self) -> None:
        recording = stuck([sample(s, params=chain([0.0, 0.0])) for s in STEPS[:5]])
        recording.main.gradient_norm = Series([30, 50], [0.0, 0.4])
        assert state(recording) != "no-gradient"

    def test_a_loss_of_exactly_zero_is_done(self) -> None:
        """A hinge loss with every margin kept has no gradient, and nothing left to gain."""
        losses = [max(0.0, 1 - 0.05 * i) for i in range(60)]
        samples = [sample(s, params=chain([0.0 if s >= 20 else 1.0] * 2)) for s in STEPS]
        assert state(Recording.of(loss=losses, samples=samples)) == "converged"

    def test_one_alive_weight_is_a_gradient(self) -> None:
        assert state(stuck([sample(s, params=chain([0.0, 0.0, 0.1])) for s in STEPS])) != "no-gradient"

    def test_a_linear_model_with_a_dead_input_is_not_without_gradient(self) -> None:
        params = {"net.weight": weight(g=0.1), "net.bias": weight(g=0.1, role="bias")}
        assert state(stuck([sample(s, params=params) for s in STEPS])) != "no-gradient"


class TestNotMoving:
    def test_nothing_changes(self) -> None:
        found = verdict(stuck([sample(s, params=chain([0.5, 0.5], u=0.0)) for s in STEPS]))
        assert found.state == "not-moving"
        assert "0.707" in found.sentence

    def test_only_what_no_optimizer_holds_has_a_gradient(self) -> None:
        params = chain([None, None], u=0.0) | {"net.head.weight": weight(g=2.0, order=2, o=None, u=None)}
        events = [event("not_moved", 20, o=0, **{"from": 0, "to": 59}, params=["net.0.weight", "net.1.weight"], of=2)]
        samples = [sample(s, params=params) for s in STEPS]
        assert state(stuck(samples, events=events)) == "not-moving"

    def test_unmeasured_changes_are_no_evidence(self) -> None:
        assert state(stuck([sample(s, params=chain([0.5, 0.5], u=None)) for s in STEPS])) != "not-moving"

    def test_an_optimizer_that_has_finished(self) -> None:
        """LBFGS stops moving at its tolerance; the gradient is then a millionth of what it was."""
        samples = [
            sample(s, params=chain([1e-7 if s > 20 else 1.0], u=0.0 if s > 20 else 0.1), term=numbers(0.9))
            for s in STEPS
        ]
        assert state(Recording.of(loss=[0.1 + 0.9 * 0.5**i for i in range(60)], samples=samples)) == "converged"

    def test_backward_without_a_step(self) -> None:
        told = [
            event("backward_without_step", None, backwards=168, steps=0, last_step_backwards=168, moved=False),
            event("zero_grad", 0, line=None),
        ]
        found = verdict(Recording.of(loss=noisy([2.3] * 60, 0.02), events=told))
        assert found.state == "not-moving" and "168 backward passes" in found.sentence

    def test_gradients_that_are_only_looked_at(self) -> None:
        told = event("backward_without_step", None, backwards=10, steps=0, last_step_backwards=10, moved=False)
        assert state(Recording(events=[told])) == "unknown"


class TestBouncing:
    @staticmethod
    def bouncing(cosine: float, gradient: float = 1.0, accuracy: float = 0.1) -> Recording:
        samples = [
            sample(
                s,
                params=chain([gradient if s else 1.0] * 2),
                noise={"cos": cosine, "share": 0.9},
                term=classes(accuracy),
            )
            for s in range(0, 60, 3)
        ]
        return Recording.of(loss=[2.6 + 0.3 * (-1) ** i for i in range(60)], samples=samples)

    def test_gradients_against_each_other(self) -> None:
        found = verdict(self.bouncing(-0.9))
        assert found.state == "bouncing"
        assert "-0.90" in found.sentence

    def test_independent_noise_is_not_bouncing(self) -> None:
        assert state(self.bouncing(-0.05)) != "bouncing"

    def test_a_small_gradient_is_not_bouncing(self) -> None:
        assert state(self.bouncing(-0.9, gradient=1e-3)) != "bouncing"

    def test_a_run_that_learned_is_not_bouncing(self) -> None:
        """At the edge of stability gradients alternate in runs that learn well."""
        assert state(self.bouncing(-0.9, accuracy=0.9)) != "bouncing"


class TestBouncingWithoutNoise:
    """Where no late sample tells the gradient's direction: the level and the norm."""

    @staticmethod
    def standing(level: float, *, late: float = 1.0, rate: float | list[float] = 0.3) -> Recording:
        samples = [sample(s, params=chain([1.0]), term=classes(0.1)) for s in range(5)]
        recording = Recording.of(loss=[2.3, *noisy([level] * 199, 0.05)], samples=samples, learning_rate=rate)
        recording.main.gradient_norm = Series([160, 180, 199], [late] * 3)
        return recording

    def test_above_a_constant_answer(self) -> None:
        found = verdict(self.standing(2.6))
        assert found.state == "bouncing"
        assert found.evidence["constant_answer_loss"] == pytest.approx(math.log(10), abs=1e-3)

    def test_at_a_constant_answer(self) -> None:
        assert state(self.standing(2.303)) == "unknown"

    def test_with_a_gradient_that_is_small(self) -> None:
        assert state(self.standing(2.6, late=0.01)) == "unknown"

    def test_with_a_rate_that_has_decayed(self) -> None:
        assert state(self.standing(2.6, rate=[0.3] * 100 + [0.003] * 100)) == "unknown"


class TestConverged:
    def test_at_the_noise_floor(self) -> None:
        """Of twenty runs at their floor, chance may make one or two look as if they still fell; none looks sick."""
        curve = [0.6 + 0.3 * 0.9**i for i in range(400)]
        told = classes(0.7, {"0": 40, "1": 40})
        samples = [sample(s, term=told, noise={"share": 0.02, "cos": 0.0}) for s in range(0, 400, 20)]
        found = [verdict(Recording.of(loss=noisy(curve, 0.05, seed), samples=samples)) for seed in range(20)]
        assert sum(v.state == "converged" for v in found) >= 18
        assert {v.state for v in found} <= {"converged", "learning"}
        assert "2%" in next(v for v in found if v.state == "converged").sentence

    def test_below_what_one_batch_differs_from_the_next(self) -> None:
        """No late sample told the noise of the gradient; the noise of the loss tells as much."""
        curve = [0.62 + 0.07 * 0.98**i for i in range(2000)]
        told = [sample(s, term=classes(0.68, {"0": 40, "1": 40})) for s in range(20)]
        found = [verdict(Recording.of(loss=noisy(curve, 0.04, seed), samples=told)) for seed in range(10)]
        assert sum(v.state == "converged" for v in found) >= 8
        assert "one batch differs" in next(v for v in found if v.state == "converged").sentence

    def test_a_first_loss_absurdly_high_is_no_measure(self) -> None:
        """From ten million to 2.2 is a fall of everything, and nothing."""
        told = [sample(s, term=classes(0.35)) for s in STEPS]
        losses = [1e7] * 4 + noisy([1.8] * 56, 0.3)
        assert state(Recording.of(loss=losses, samples=told)) != "converged"

    def test_fitted_to_zero(self) -> None:
        assert state(Recording.of(loss=[2.3 * 0.9**i for i in range(200)])) == "converged"

    def test_full_batch_at_the_minimum(self) -> None:
        samples = [sample(s, params=chain([max(1e-6, 0.8**s)]), term=numbers(0.98)) for s in range(0, 60, 3)]
        losses = [0.0835 + 4.1 * 0.6**i for i in range(60)]
        assert state(Recording.of(loss=losses, samples=samples)) == "converged"

    def test_standing_at_the_constant_answer_is_not_converged(self) -> None:
        """A plateau drowns in batch noise just as a floor does."""
        samples = [sample(s, term=classes(0.1), noise={"share": 0.02, "cos": 0.0}) for s in STEPS]
        found = verdict(Recording.of(loss=noisy(STUCK, 0.02), samples=samples))
        assert found.state == "unknown"
        assert "constant" in found.sentence or "naming" in found.sentence
        assert "curvature" in found.sentence


STUCK = [2.303] * 60


class TestLearning:
    @pytest.mark.parametrize("seed", range(5))
    def test_falls_beyond_noise(self, seed: int) -> None:
        found = verdict(Recording.of(loss=noisy([2.3 * 0.995**i for i in range(300)], 0.1, seed)))
        assert found.state == "learning"
        assert "±" in found.sentence

    def test_ten_steps_are_enough_when_it_is_plain(self) -> None:
        assert state(Recording.of(loss=[3 * 0.8**i for i in range(12)])) == "learning"

    def test_a_creeping_loss_is_not_called_learning(self) -> None:
        """XOR on its plateau: from .5 to .498 in a thousand steps."""
        assert state(Recording.of(loss=[0.5 - 0.002 * i / 1000 for i in range(1000)])) == "unknown"


class TestUnknown:
    def test_nothing(self) -> None:
        found = verdict(Recording(head={"script": "train.py", "argv": ["train.py", "--epochs", "2"]}))
        assert found.state == "unknown"
        assert found.next_command == "unstuck run train.py --epochs 2"

    def test_too_short(self) -> None:
        found = verdict(Recording.of(loss=[2.3, 2.2, 2.1]))
        assert found.state == "unknown" and "3 steps" in found.sentence

    def test_pure_noise(self) -> None:
        assert state(Recording.of(loss=noisy([0.7] * 100, 0.3))) == "unknown"

    @pytest.mark.parametrize(
        ("kind", "more", "expected"),
        [("nll", {}, "log-likelihood"), ("kl", {}, "divergence"), ("kl", {"latent": True}, None), ("mse", {}, None)],
    )
    def test_a_loss_below_what_it_can_be(self, kind: str, more: dict[str, bool], expected: str | None) -> None:
        """Minus a million is no divergence of probabilities, though the loss still falls."""
        samples = [sample(s, term=classes(0.1, kind=kind, **more)) for s in STEPS]
        found = verdict(Recording.of(loss=[-1.0 - 30 * i for i in range(100)], samples=samples))
        assert found.state == "learning"  # it falls; whether that means anything, the sentence tells
        assert expected is None or (expected in found.sentence and "cannot be negative" in found.sentence)
        assert found.evidence.get("learned_nothing") == (None if expected is None else True)

    def test_adversaries(self) -> None:
        """A critic's loss and a generator's: one's gain is the other's loss."""
        streams = {}
        for number, curve in ((0, [0.7 - 0.005 * i for i in range(100)]), (1, [0.7 + 0.02 * i for i in range(100)])):
            steps = list(range(100))
            streams[number] = Stream(
                number, loss=Series(steps, curve), seconds=Series(steps, [0.1 * s for s in steps]),
                learning_rate=Series(steps, [1e-3] * 100),
            )  # fmt: skip
        found = verdict(Recording(streams=streams))
        assert found.state == "unknown" and "adversarial" in found.sentence

    def test_two_phases_are_not_adversaries(self) -> None:
        """Training a model, then a head on it with an optimizer of its own."""
        streams = {}
        for number, begins, loss in ((0, 0.0, 2.3), (1, 30.0, 0.7)):
            steps = list(range(100 - 20 * number))
            streams[number] = Stream(
                number, loss=Series(steps, [loss * 0.97**s for s in steps]), learning_rate=Series(steps, [0.1] * len(steps)),
                seconds=Series(steps, [begins + 0.1 * s for s in steps]),
            )  # fmt: skip
        assert state(Recording(streams=streams)) == "learning"

    def test_a_likelihood_below_zero(self) -> None:
        samples = [sample(s, term=classes(0.1)) for s in STEPS]
        found = verdict(Recording.of(loss=[2.0 - i for i in range(60)], samples=samples))
        assert found.state == "learning" and "cannot be negative" in found.sentence


class TestOrder:
    def test_the_states_are_the_contract_s(self) -> None:
        assert STATES == (
            "diverging", "no-gradient", "not-moving", "saddle", "maximum", "flat", "minimum", "bouncing", "converged",
            "slow", "learning", "unknown",
        )  # fmt: skip

    @pytest.mark.parametrize("name", MEASURED)
    def test_what_was_measured_elsewhere_takes_its_place(self, name: str) -> None:
        measured = Verdict(name, "It was measured.")
        recording = stuck([sample(s, params=chain([0.1])) for s in STEPS])
        recording.extras["measured"] = measured
        assert verdict(recording) is measured

    def test_exact_tests_win_over_what_was_measured(self) -> None:
        recording = stuck([sample(s, params=chain([0.0])) for s in STEPS])
        recording.extras["measured"] = Verdict("flat", "It was measured.")
        assert state(recording) == "no-gradient"

    def test_slow_does_not_win_over_converged(self) -> None:
        recording = Recording.of(loss=[2.3 * 0.9**i for i in range(200)])
        recording.extras["measured"] = Verdict("slow", "It was measured.")
        assert state(recording) == "converged"

    def test_none_of_them_is_guessed(self) -> None:
        for recording in (learned([sample(s) for s in STEPS]), stuck([sample(s) for s in STEPS]), Recording()):
            assert state(recording) not in MEASURED


class TestLeaps:
    """A loss that one step threw far up, and that crawls back."""

    def course(self, end: float) -> list[float]:
        falling = [1.0 - 0.005 * s for s in range(50)]
        return [*falling, *(end + (40.0 - end) * (1.0 - s / 250) for s in range(250))]

    def test_on_the_way_back_it_does_not_learn(self) -> None:
        found = verdict(Recording.of(loss=self.course(20.0)))
        assert found.state == "bouncing" and "leapt from 1 to 40" in found.sentence

    def test_a_task_that_grows_is_no_leap(self) -> None:
        """A sum over ever longer sequences."""
        assert (
            verdict(
                Recording.of(loss=[1.0 + 0.1 * s for s in range(200)] + [20.0 - 0.01 * s for s in range(100)])
            ).state
            != "bouncing"
        )

    def test_one_that_has_come_back_learns(self) -> None:
        assert verdict(Recording.of(loss=self.course(0.2))).state == "learning"

    def test_a_loss_below_zero_has_no_such_measure(self) -> None:
        assert verdict(Recording.of(loss=[v - 2.0 for v in self.course(20.0)])).state == "learning"


class TestRatesThatAreGone:
    def run(self, factor: float, *, level: float = 2.3) -> Recording:
        """A rate multiplied by a factor at each of 300 steps."""
        rates = [0.05 * factor**s for s in range(300)]
        samples = [sample(s, params=chain([1.0]), term=classes(0.1)) for s in (0, 19)]
        recording = Recording.of(loss=noisy([level] * 300, 0.5), learning_rate=rates, samples=samples)
        recording.main.learning_rates[:] = [(s, [rate]) for s, rate in enumerate(rates)]
        return recording

    def test_nothing_changes_any_more(self) -> None:
        found = verdict(self.run(0.8))
        assert found.state == "not-moving" and "from step 83 of 300 on" in found.sentence

    def test_a_rate_that_falls_by_design_still_moves(self) -> None:
        assert verdict(self.run(0.97)).state != "not-moving"


def test_a_schedule_that_was_over_long_before_the_run() -> None:
    """Divided by twenty every ten steps: what falls until then has no way left; a run that had come to rest loses nothing."""
    rates = [max(0.1 * 0.05 ** (s // 10), 2e-6) for s in range(200)]
    samples = [sample(s, params=chain([0.5, 0.5], u=0.01), term=classes(0.1)) for s in range(0, 20, 2)]
    falls = [2.3 - 0.005 * s if s < 20 else 2.2 + 0.002 * (-1) ** s for s in range(200)]
    rests = [2.3 + 0.002 * (-1) ** s for s in range(200)]
    found = verdict(Recording.of(loss=falls, learning_rate=rates, samples=samples))
    assert found.state == "not-moving" and "second half" in found.sentence
    assert "second half" not in verdict(Recording.of(loss=rests, learning_rate=rates, samples=samples)).sentence
    slow = [0.1 * 0.1 ** (s // 50) for s in range(200)]  # tenths at each quarter, as tutorials have them
    assert "second half" not in verdict(Recording.of(loss=falls, learning_rate=slow, samples=samples)).sentence
