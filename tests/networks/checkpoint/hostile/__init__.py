"""The hostile set: every case of every category, by file name."""

from tests.networks.checkpoint.hostile import bombs, broken, calls
from tests.networks.checkpoint.hostile.cases import CANARY, CASES, OPENS, Case, verdict

__all__ = ["CANARY", "CASES", "OPENS", "Case", "bombs", "broken", "calls", "verdict"]
