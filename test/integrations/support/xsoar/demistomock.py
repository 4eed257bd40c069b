"""The platform, as far as the integration sees it: one call at a time, what it gives back is kept."""

call = {"command": "", "args": {}, "params": {}}
given = []


def command():
    return call["command"]


def args():
    return call["args"]


def params():
    return call["params"]


def results(value):
    given.append(value)
