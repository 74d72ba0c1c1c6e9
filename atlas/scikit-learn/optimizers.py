"""The two optimizers of scikit-learn's networks, hidden in a model, with that model's defaults."""

from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from adam_edu.libraries.frameworks import Sklearn

NETWORK = MLPClassifier()


def adam(params):
    """Return what fit() makes for the solver "adam"."""
    own = NETWORK
    return AdamOptimizer(params, own.learning_rate_init, own.beta_1, own.beta_2, own.epsilon)


def sgd(params):
    """Return what fit() makes for the solver "sgd"."""
    return SGDOptimizer(
        params,
        NETWORK.learning_rate_init,
        NETWORK.learning_rate,
        NETWORK.momentum,
        NETWORK.nesterovs_momentum,
        NETWORK.power_t,
    )


OPTIMIZERS = {
    "MLPClassifier(solver='adam')": Sklearn(adam),
    "MLPClassifier(solver='sgd')": Sklearn(sgd),
}
