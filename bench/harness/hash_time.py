"""Time of one password hash: ``python -m harness.hash_time HASH [COUNT]`` prints seconds.

The cost parameters are those of the given argon2 hash. Run as a process of its own so that it
can stand on the same core as a server.
"""

import sys
import time
from statistics import median

from argon2 import PasswordHasher, extract_parameters


def seconds_of_one(sample: str, *, count: int = 11) -> float:
    """Return the median time of a hash with the parameters of ``sample``."""
    hasher = PasswordHasher.from_parameters(extract_parameters(sample))
    times = []
    for _ in range(count):
        start = time.perf_counter()
        hasher.hash("a password of ordinary length")
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    print(seconds_of_one(sys.argv[1]))
