"""Train, sweep, record: the experiments of Kingma and Ba (2015), run again.

``specs``
    what each figure trains, in a few lines;
``train``
    the plain training loop, and the reference for
``stack``
    the same runs side by side on a GPU, many learning rates at once;
``reproduce``
    tuning, all seeds, checkpoints and the record, as ``adam-edu reproduce`` does it.
"""

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    wanted = "the experiments need Torch: pip install 'adam-edu[torch,data]'"
    raise ModuleNotFoundError(wanted, name=error.name) from error
