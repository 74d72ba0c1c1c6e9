"""The titles of the chapters that exercises send their readers to."""

TITLES = {
    "gradient-descent": "Gradient descent",
    "stochastic-gradients": "Stochastic gradients",
    "momentum": "Momentum",
    "adagrad": "AdaGrad",
    "rmsprop-adadelta": "RMSProp and AdaDelta",
    "moment-estimates": "Moment estimates",
    "bias-correction": "Bias correction",
    "hyper-parameters": "Hyper-parameters",
    "library-adams": "Every library's Adam",
    "moving-between-libraries": "Moving between libraries",
    "comparing-optimizers": "How to compare optimizers honestly",
    "adamax-nadam": "AdaMax and NAdam",
    "amsgrad": "AMSGrad",
    "adamw": "AdamW",
    "adabound": "AdaBound",
    "schedules": "Schedules",
    "after-adam": "After Adam",
    "language": "Why does Adam beat SGD on language?",
    "torch-optimizer": "From a rule to a torch.optim optimizer",
    "gpu": "Adam at the speed of memory",
}
