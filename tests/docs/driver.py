"""Runs the Python blocks of one page, which come as JSON lines, in one namespace of their own."""

from __future__ import annotations

import json
import sys
import traceback
import types
from contextlib import redirect_stdout
from io import StringIO


def main() -> None:
    page = types.ModuleType("page")
    sys.modules["page"] = page
    for line in sys.stdin:
        block = json.loads(line)
        printed, fault = StringIO(), None
        try:
            text = "\n" * (block["line"] - 1) + block["text"]
            with redirect_stdout(printed):
                exec(compile(text, block["page"], "exec"), page.__dict__)  # noqa: S102
        except BaseException:  # noqa: BLE001 - whatever it is, it is the block's fault
            fault = traceback.format_exc()
        answer = {"printed": printed.getvalue(), "fault": fault}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
