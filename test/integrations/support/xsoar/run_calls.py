"""Runs calls of the integration, one after the other: [{command, args, params}] on stdin, what each gave back on stdout."""
import importlib
import json
import sys

import demistomock

sys.path.insert(0, sys.argv[1])
integration = importlib.import_module("IsMalicious")
out = []
for call in json.load(sys.stdin):
    demistomock.call.update(call)
    demistomock.given.clear()
    integration.main()
    out.append(list(demistomock.given))
json.dump(out, sys.stdout)
