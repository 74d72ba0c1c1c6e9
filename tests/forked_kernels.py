"""Kernels that begin as copies of one process, in which what all notebooks import is there already.

To start a kernel and to import Matplotlib takes seconds of a processor; a copy takes nothing.
This file is also the program of that process (see fresh_kernel.py).
"""

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

# None of this package: a notebook has to find it where it was installed.
PRELOADED = ("ipykernel.kernelapp", "matplotlib.pyplot", "ipywidgets", "anywidget")
# What a kernel is started by; it lives as long as the kernel does.
ASK = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    told = [{folder!r}, sys.argv, dict(os.environ)]
    asked.sendall(json.dumps(told).encode() + b"\\n")
    asked.recv(1)
"""


@contextmanager
def serving(python: Path, folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Let kernels be made as long as the block runs; give the address to ask at."""
    address = folder / "kernels"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        number = listener.fileno()
        command = [python, "-P", __file__, str(number)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment, cwd=folder, pass_fds=[number]
        ):
            yield address  # at the end its input is closed, and so it ends


def serve(listener: socket.socket) -> None:
    """Make a kernel for each that connects, until the input ends."""
    Thread(target=lambda: os._exit(len(os.read(0, 1))), daemon=True).start()
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as a kernel has it
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        asked, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            become_a_kernel(asked)
        asked.close()


def become_a_kernel(asked: socket.socket) -> None:
    """Be a kernel until it is shut down, or whoever asked for it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):  # as of a kernel that is no copy
        os.dup2(nowhere, stream)
    try:
        with asked.makefile("rb") as told:
            folder, arguments, environment = json.loads(told.readline())
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.argv = arguments
        Thread(target=lambda: os._exit(len(asked.recv(1))), daemon=True).start()
        from ipykernel.kernelapp import IPKernelApp

        IPKernelApp.launch_instance()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
