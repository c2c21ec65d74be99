"""A simulated téléservice INSi that runs beside the program that uses it."""

from contextlib import AbstractContextManager

from insigne.simulate.insi.simulator import InsiSimulator, SimulatorSettings
from insigne.simulate.running import Running, running_beside


def running(settings: SimulatorSettings) -> AbstractContextManager[Running[InsiSimulator]]:
    """Run a simulator as long as the block. Raises what `InsiSimulator` and its `start` raise."""
    return running_beside("insi-simulator", lambda: InsiSimulator(settings))
