"""The process that a scorecard's runs are forked from: nnlab's own, less its pictures.

The final pictures and the report's page are drawn after all that is compared, and take
longer than the tiny runs themselves.
"""

import sys
from typing import Any


def main() -> None:
    """Serve as `python -m nnlab.sweep.server` does."""
    from nnlab import fit
    from nnlab.sweep import server

    def nothing(*arguments: Any) -> dict[str, str]:
        return {}

    vars(fit).update(draw=nothing, write_page=nothing)
    server.main(sys.argv[1:])


if __name__ == "__main__":
    main()
