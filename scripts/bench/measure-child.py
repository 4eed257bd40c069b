"""measure-child.py INPUT COMMAND…: runs the command with INPUT on stdin; one JSON line: wall and CPU seconds, peak RSS in MiB, exit status."""
import json
import os
import subprocess
import sys
import time

with open(sys.argv[1], "rb") as source, open(os.devnull, "wb") as sink:
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[2:], stdin=source, stdout=sink, stderr=sink)
    _, status, used = os.wait4(child.pid, 0)
print(json.dumps({
    "wallS": time.perf_counter() - began,
    "cpuS": used.ru_utime + used.ru_stime,
    "rssMib": used.ru_maxrss / 1024,
    "status": os.waitstatus_to_exitcode(status),
}))
