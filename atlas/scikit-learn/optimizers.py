"""The two optimizers of scikit-learn's networks, which are hidden in a model otherwise."""

from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

OPTIMIZERS = {
    "MLPClassifier(solver='adam')": AdamOptimizer,
    "MLPClassifier(solver='sgd')": SGDOptimizer,
}
