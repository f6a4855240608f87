"""Local processes as a ``concurrent.futures.Executor`` that survives what it runs."""

from moopt.pool.processes import WORKER_ENVIRONMENT, ProcessPool, SerialExecutor

__all__ = ["WORKER_ENVIRONMENT", "ProcessPool", "SerialExecutor"]
