# Installs the package where it is missing, as on Colab; NumPy and Torch stay as they are.
import importlib.metadata
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("adam_edu") is None:
    package = "adam-edu[course] @ git+https://github.com/adam-edu/adam-edu@v0.1.0"
    keep = [f"numpy=={found.version}" for found in importlib.metadata.distributions(name="numpy")]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package, *keep], check=True)
    importlib.invalidate_caches()
