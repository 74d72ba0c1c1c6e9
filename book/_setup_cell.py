# Installs the package where it is missing, as on Colab; NumPy and Torch stay as they are.
import importlib.metadata
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("adam_edu") is None:
    found = importlib.metadata.distributions()
    keep = [f"{d.name}=={d.version}" for d in found if d.name in ("numpy", "torch")]
    package = "adam-edu[course] @ git+https://github.com/adam-edu/adam-edu"
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, package, *keep], check=True)
    importlib.invalidate_caches()
