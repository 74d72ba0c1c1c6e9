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
