"""What the study's loop needs of every executor, as a class: a test module names its executors as subclasses.

class TestMine(ExecutorContract):
    @classmethod
    def make(cls):
        return MyExecutor()
"""

import math
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from typing import ClassVar

import pytest

from moopt.trial import StepResult


class OddError(Exception):
    """An exception whose constructor takes more than its message."""

    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"{code} at {place}")


class Evaluator:
    """As a worker gets it: a callable object of some size."""

    n_steps = 3

    def __init__(self) -> None:
        self.table = list(range(10_000))

    def __call__(self, config: dict[str, int], step: int) -> tuple[StepResult, ...]:
        return (StepResult({"loss": float(self.table[config["x"]] + step)}, seconds=0.5),)


def divide(a: float, b: float = 1.0) -> float:
    return a / b


def raise_odd() -> None:
    raise OddError(7, "here")


class ExecutorContract:
    carries_closures: ClassVar[bool] = True

    @classmethod
    def make(cls) -> Executor:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls) -> Iterator[Executor]:
        with cls.make() as executor:
            yield executor

    def test_a_call_gives_its_result(self, executor: Executor) -> None:
        assert executor.submit(divide, 6.0, b=3.0).result(30) == 2.0

    def test_a_step_gives_its_records(self, executor: Executor) -> None:
        (result,) = executor.submit(Evaluator(), {"x": 40}, 2).result(30)
        assert result == StepResult({"loss": 42.0}, seconds=0.5)

    def test_an_error_is_that_of_the_call_and_the_next_one_is_served(self, executor: Executor) -> None:
        failing = executor.submit(divide, 1.0, b=0.0)
        assert isinstance(failing.exception(30), ZeroDivisionError)
        assert executor.submit(divide, 1.0).result(30) == 1.0

    def test_results_of_many_calls_do_not_mix(self, executor: Executor) -> None:
        futures = {executor.submit(math.factorial, number): number for number in range(60)}
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, timeout=30, return_when=FIRST_COMPLETED)
            assert done
            assert all(future.result() == math.factorial(futures[future]) for future in done)

    def test_map_keeps_the_order(self, executor: Executor) -> None:
        assert list(executor.map(math.sqrt, [9.0, 4.0, 1.0])) == [3.0, 2.0, 1.0]

    def test_a_lambda_and_a_closure_are_carried(self, executor: Executor) -> None:
        if not self.carries_closures:
            pytest.skip("the standard pickle takes neither")
        shift = 3
        assert executor.submit(lambda x: x + shift, 4).result(30) == 7

    def test_shutdown_waits_for_what_was_submitted(self) -> None:
        executor = self.make()
        futures = [executor.submit(divide, float(number)) for number in range(4)]
        executor.shutdown(wait=True)
        assert [future.result(0) for future in futures] == [0.0, 1.0, 2.0, 3.0]

    def test_nothing_is_taken_after_shutdown(self) -> None:
        executor = self.make()
        executor.shutdown()
        executor.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(divide, 1.0)


class CarriesOddErrors:
    """For executors of ours: an exception that pickle cannot make again is still told."""

    def test_an_exception_with_an_odd_constructor_is_told(self, executor: Executor) -> None:
        error = executor.submit(raise_odd).exception(30)
        assert "7 at here" in str(error)

    def test_the_end_of_the_interpreter_is_an_error_of_the_call(self, executor: Executor) -> None:
        error = executor.submit(exit, 3).exception(30)
        assert isinstance(error, RuntimeError)
        assert "SystemExit: 3" in str(error)
