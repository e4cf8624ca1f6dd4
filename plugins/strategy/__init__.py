"""How a run is spread over processes, and the numbers it computes with."""
