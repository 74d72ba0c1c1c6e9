"""Hyper-parameters and rules for Hypothesis, drawn from the domains that the rules declare."""

from typing import Any

from hypothesis import settings, strategies as st

from adam_edu.base import Decay, Epsilon, Mixture, Rate, Rule, Speed, Strength, domains

# The same examples at every run, on every machine, however slow.
settings.register_profile("adam_edu", derandomize=True, deadline=None, database=None)
settings.load_profile("adam_edu")


def log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    """Return numbers from 10**low to 10**high."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


BY_DOMAIN: dict[Any, st.SearchStrategy[float]] = {
    Rate.__metadata__[0]: log_uniform(-4, 0),
    # Down to a half: below that, v - m² of the centered RMSProp is mostly rounding.
    Decay.__metadata__[0]: log_uniform(-4, -0.31).map(lambda rest: 1 - rest),
    Epsilon.__metadata__[0]: log_uniform(-10, -3),
    Strength.__metadata__[0]: log_uniform(-4, 0),
    Mixture.__metadata__[0]: log_uniform(-1, 1),
    Speed.__metadata__[0]: log_uniform(-4, -1),
}


def rules(cls: type[Rule]) -> st.SearchStrategy[Rule]:
    """Return instances of a rule with hyper-parameters anywhere in their domains."""
    arguments = {name: BY_DOMAIN[domain] for name, domain in domains(cls).items()}
    return st.builds(cls, **arguments)
