"""``python -m adam_edu.libraries`` measures again the libraries of the record that are here."""

from importlib.resources import files
from pathlib import Path

from .survey import RECORD, remeasure

if __name__ == "__main__":
    remeasure(Path(str(files("adam_edu").joinpath("results", RECORD))))
