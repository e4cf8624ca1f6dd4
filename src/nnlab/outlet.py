"""Standard output that outlives whoever reads it."""

import os
from typing import IO, Any


class Outlet:
    """Writes to a stream for as long as somebody reads it, and then to nowhere.

    `nnlab … | head -1`, or a `tee` that died, must end no run: rich would end the
    process, with the run's status left as it was.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write; return the number of characters."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._close()
            return len(text)

    def flush(self) -> None:
        """Let the reader have all of it."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _close(self) -> None:
        # The descriptor as well: what the stream still holds is written at its end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
