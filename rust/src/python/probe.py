"""Says what an interpreter is, as JSON: run by the crate in each interpreter that it considers."""

import importlib.util
import json
import sys

sys.path[:] = [
    place for place in sys.path if place
]  # the folder that the program happens to run in is no place for packages
said = {
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:2]),
    "executable": sys.executable,
    "has_package": importlib.util.find_spec("ai_memory") is not None,
}
sys.stdout.write(json.dumps(said))
