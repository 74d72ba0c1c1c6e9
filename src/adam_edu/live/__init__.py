"""Python on the pages of the book: the exercises, checked in the reader's own browser.

:mod:`~adam_edu.live.runtime` finds Pyodide's files, :mod:`~adam_edu.live.exercises` what a chapter
asks for, :mod:`~adam_edu.live.sphinx` puts both into the book. There a worker of the page runs
:mod:`~adam_edu.live.runner`, and the scripts of ``js/`` show what it says.
"""
