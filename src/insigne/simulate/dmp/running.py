"""A simulated DMP that runs beside the program that uses it."""

from contextlib import AbstractContextManager

from insigne.simulate.dmp.simulator import DmpSimulator, SimulatorSettings
from insigne.simulate.running import Running, running_beside


def running(settings: SimulatorSettings) -> AbstractContextManager[Running[DmpSimulator]]:
    """Run a simulator as long as the block. Raises what `DmpSimulator` and its `start` raise."""
    return running_beside("dmp-simulator", lambda: DmpSimulator(settings))
