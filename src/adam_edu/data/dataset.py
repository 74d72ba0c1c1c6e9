"""What a data set is, once it is loaded."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Examples and classes for training and for testing.

    Attributes
    ----------
    name : what :func:`adam_edu.data.load` calls it
    train_x, test_x : examples along the first axis. Grey images: float32 in [0, 1], a row of
        height x width pixels each. Colour images: float32 in [0, 1], (examples, 3, height, width).
        Bags of words: uint8, a row each, 1 where the text has the word and 0 elsewhere. Running
        text: int32, (examples, context), the numbers of its words.
    train_y, test_y : int64, (examples,), class numbers from 0; of running text
        (examples, context), the number of the word that follows each
    classes : names of the classes
    source : where the examples come from, with the paper to cite
    note : in what the examples differ from the published ones, to be said beside any figure drawn
        from them; empty where they are the published ones
    words : of a bag of words the word of each column, of running text that of each number; empty
        for images
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: tuple[str, ...]
    source: str
    note: str = ""
    words: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.train_x.shape[1:]))
        return (
            f"<{self.name}: {len(self.train_x)} training and {len(self.test_x)} test examples of "
            f"{shape}, {len(self.classes)} classes>"
        )
