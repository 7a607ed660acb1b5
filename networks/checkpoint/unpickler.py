"""A pickle machine that executes nothing: opcodes in, a tree of inert nodes out.

Every opcode is our own code (`opcodes.py`); no class is looked up, nothing is called. The work is bounded: operations
and text are counted by the job.
"""

from __future__ import annotations

from typing import Any

from networks.checkpoint.machine import MALFORMED, Machine
from networks.checkpoint.opcodes import STOP, TABLE

CHECK_EVERY = 1024  # operations


class Unpickler(Machine):
    """Runs one pickle of a window, from `position` to its STOP."""

    def run(self) -> Any:
        """Return the pickled object as nodes; raises CheckpointError with the reason why not."""
        table, budget = TABLE, 0
        try:
            while True:
                budget += 1
                if budget == CHECK_EVERY:
                    self.job.spend_operations(budget)
                    budget = 0
                code = self.take(1)[0]
                if code == STOP:
                    self.job.spend_operations(budget)
                    return self.stack.pop()
                table[code](self)
        except MALFORMED as error:
            raise self.broken(str(error)) from error
