"""Local processes as a ``concurrent.futures.Executor`` that survives what it runs."""

from moopt.pool.process import WORKER_ENVIRONMENT
from moopt.pool.processes import ProcessPool
from moopt.pool.serial import SerialExecutor

__all__ = ["WORKER_ENVIRONMENT", "ProcessPool", "SerialExecutor"]
