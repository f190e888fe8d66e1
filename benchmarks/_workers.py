"""Worker processes for `catalogue.py`: started afresh, they run chunks by the service's own code and tell where the
time went.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

# Stage: what of the service belongs to it, as (module, function). None of them calls another one.
STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "read orbits": (("targets.services.ephemerides", "orbit_batch"),),
    "first decision": (("targets.services.ephemerides", "surely_fainter_than"),),
    "propagate": (
        ("targets.services.ephemerides", "propagate"),
        ("targets.services.ephemerides", "brightest_possible_v"),
    ),
    "blocks": (("targets.services.ephemerides", "build_blocks"),),
    "read ephemerides": (("targets.services.ephemerides", "_stored"),),
    "store ephemerides": (("targets.services.ephemerides", "replace_ephemerides"),),
    "search": (
        ("coordination.visibility.computing", "find_windows"),
        ("coordination.visibility.computing", "_kept_observing"),
    ),
    "describe": (("coordination.visibility.computing", "describe"),),
    "columns": (("coordination.visibility.computing", "_columns"),),
    "delete windows": (("coordination.visibility.storage", "delete_windows"),),
    "copy windows and index": (("coordination.visibility.storage", "copy_windows"),),
}
WHOLE = "whole chunks"


class Workers:
    """Some processes that wait for identifiers of chunks."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")  # nothing is warm that would be cold in a new worker
        self._tasks, self._answers = context.Queue(), context.Queue()
        self._started = time.perf_counter()
        self._processes = [context.Process(target=_work, args=(self._tasks, self._answers)) for _ in range(count)]
        for process in self._processes:
            process.start()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid]

    def wait_until_ready(self) -> float:
        """Seconds from the start of the processes until all wait for work."""
        for _ in self._processes:
            self._answer()
        return time.perf_counter() - self._started

    def run(self, chunk_ids: Sequence[int]) -> dict[str, float]:
        """Run all chunks; by stage the seconds of the wall's clock and of the processor, summed over the processes."""
        for chunk_id in [*chunk_ids, *(None for _ in self._processes)]:
            self._tasks.put(chunk_id)
        total: dict[str, float] = defaultdict(float)
        for _ in self._processes:
            for stage, took in self._answer().items():
                total[stage] += took
        for clock in ("_s", "_processor_s"):
            stages = sum(total[stage + clock] for stage in STAGES)
            total[f"the rest{clock}"] = total.pop(WHOLE + clock) - stages
        return dict(total)

    def _answer(self) -> Any:
        answer = self._answers.get(timeout=600)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self) -> None:
        for process in self._processes:
            process.join()


def _work(tasks: Any, answers: Any) -> None:
    """What a worker process does: `planning.run_chunk` until there are no more."""
    try:
        import django

        django.setup()
        logging.getLogger("django.db.backends.base").setLevel(logging.CRITICAL)  # there is no broker
        from coordination.visibility import planning

        took: dict[str, float] = defaultdict(float)
        _time_stages(took)
        run_chunk = _timed(planning.run_chunk, WHOLE, took)
        answers.put("ready")
        while (chunk_id := tasks.get()) is not None:
            run_chunk(chunk_id)
        answers.put(dict(took))
    except Exception as error:
        answers.put(RuntimeError(f"{type(error).__name__}: {error}"))


def _time_stages(took: dict[str, float]) -> None:
    from importlib import import_module

    for stage, functions in STAGES.items():
        for module_name, name in functions:
            module = import_module(module_name)
            setattr(module, name, _timed(getattr(module, name), stage, took))


def _timed(function: Callable[..., Any], stage: str, took: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        start, processor = time.perf_counter(), time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            took[f"{stage}_s"] += time.perf_counter() - start
            took[f"{stage}_processor_s"] += time.process_time() - processor

    return timed
