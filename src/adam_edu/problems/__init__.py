"""What is minimized: surfaces to look at, noisy and sparse problems, one where Adam fails."""

from .base import Function, Problem, largest_curvature
from .bigrams import Bigrams, frequency_groups
from .numpy_models import LogisticRegression, TwoLayerNetwork
from .online import Reddi, StochasticReddi
from .stochastic import NoisyQuadratic, SparseRegression
from .surfaces import Beale, Bowl, Ravine, Rosenbrock, Saddle, Surface

SURFACES: dict[str, type[Surface]] = {
    surface.__name__: surface for surface in (Bowl, Ravine, Rosenbrock, Beale, Saddle)
}

__all__ = [
    "SURFACES",
    "Beale",
    "Bigrams",
    "Bowl",
    "Function",
    "LogisticRegression",
    "NoisyQuadratic",
    "Problem",
    "Ravine",
    "Reddi",
    "Rosenbrock",
    "Saddle",
    "SparseRegression",
    "StochasticReddi",
    "Surface",
    "TwoLayerNetwork",
    "frequency_groups",
    "largest_curvature",
]
