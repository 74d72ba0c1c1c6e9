"""``python -m adam_edu.libraries FOLDER`` measures a library for the atlas, with what is installed.

Without a folder it measures again the libraries of the shorter record that are here.
"""

import sys
from importlib.resources import files
from pathlib import Path

from .measuring import main
from .survey import RECORD, remeasure

if __name__ == "__main__":
    if len(sys.argv) > 1:
        main()
    else:
        remeasure(Path(str(files("adam_edu").joinpath("results", RECORD))))
