"""Runs experiments and writes their pages, figures and numbers to files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from unstuck.lab.catalog import load
from unstuck.lab.charts import Figure
from unstuck.lab.contract import Experiment, Progress, Result, silent
from unstuck.lab.figures import draw_png
from unstuck.lab.page import Ran, as_json, render, render_index
from unstuck.lab.words import LANGUAGES, Language
from unstuck.report.document import plain, write_whole


def run_timed(experiment: Experiment, *, full: bool = False, seed: int = 0, progress: Progress = silent) -> Ran:
    """Run one and keep the time it took."""
    began = time.perf_counter()
    result = experiment.run(full=full, seed=seed, progress=progress)
    return Ran(experiment, result, full, seed, time.perf_counter() - began)


def write_figures(ran: Ran, folder: Path, *, language: Language = "en") -> list[Path]:
    """Every figure of a run as PNG, light and dark. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [path for figure in ran.result.figures for path in _both_themes(figure, ran, folder, language)]


def _both_themes(figure: Figure, ran: Ran, folder: Path, language: Language) -> list[Path]:
    paths = []
    for theme in ("light", "dark"):
        path = folder / f"{ran.experiment.name}-{figure.name.replace(' ', '-')}-{theme}.png"
        path.write_bytes(draw_png(figure, theme="light" if theme == "light" else "dark", language=language))
        paths.append(path)
    return paths


def write_book(
    chosen: Sequence[Experiment],
    folder: Path,
    *,
    full: bool = False,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int, Experiment, float, str], None] = lambda index, experiment, share, what: None,
) -> list[Ran]:
    """Run all of them; write ``index.html`` and a page each, English in ``folder``, Chinese in ``folder/zh``, and
    ``results.json``. A page is written as soon as its experiment is done.

    ``jobs``: experiments at a time, each in a process of one thread; the numbers do not depend on it.
    *Cost*: what the experiments take, and about half a second a page.
    """
    all_ran: list[Ran] = []
    for ran in _runs(chosen, full, seed, jobs, progress):
        experiment = ran.experiment
        for language in LANGUAGES:
            place, other = (folder, "zh/") if language == "en" else (folder / "zh", "../")
            name = f"{experiment.name}.html"
            links = {"index": "index.html", "other": other + name}
            write_whole(render(ran, language=language, book=chosen, links=links), place / name)
        all_ran.append(ran)
    all_ran.sort(key=lambda ran: chosen.index(ran.experiment))
    for language in LANGUAGES:
        place, other = (folder, "zh/") if language == "en" else (folder / "zh", "../")
        write_whole(
            render_index(all_ran, language=language, links={"other": other + "index.html"}), place / "index.html"
        )
    results = [plain(as_json(ran)) for ran in all_ran]
    write_whole(json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n", folder / "results.json")
    return all_ran


def _runs(
    chosen: Sequence[Experiment],
    full: bool,
    seed: int,
    jobs: int,
    progress: Callable[[int, Experiment, float, str], None],
) -> Iterator[Ran]:
    """As they come: in order with one job, the longest first with several."""
    if jobs <= 1:
        for index, experiment in enumerate(chosen):

            def told(share: float, what: str = "", index: int = index, experiment: Experiment = experiment) -> None:
                progress(index, experiment, share, what)

            yield run_timed(experiment, full=full, seed=seed, progress=told)
        return
    longest = sorted(chosen, key=lambda e: -(e.cost.full_seconds if full else e.cost.quick_seconds))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        waiting = {pool.submit(_away, e.name, full, seed): e for e in longest}
        for index, finished in enumerate(as_completed(waiting)):
            experiment = waiting[finished]
            result, seconds = finished.result()
            progress(index, experiment, 1.0, "")
            yield Ran(experiment, result, full, seed, seconds)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _away(name: str, full: bool, seed: int) -> tuple[Result, float]:
    ran = run_timed(load(name), full=full, seed=seed)
    return ran.result, ran.seconds
