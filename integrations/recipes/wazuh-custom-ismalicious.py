#!/usr/bin/env python3
"""Wazuh integration: looks up the addresses, domains, URLs and hashes of an alert at the sidecar, and puts the verdict into the queue.

Wazuh calls it with: alert file, key (the sidecar's token, or empty), URL of the sidecar. Goes to /var/ossec/integrations/custom-ismalicious.
An answer that fails is an event of its own, never silence: it says status and message, and no verdict but unknown.
"""

import json
import os
import socket
import sys
import urllib.error
import urllib.request

QUEUE = os.environ.get("ISMALICIOUS_WAZUH_QUEUE", "/var/ossec/queue/sockets/queue")
FIELDS = ("srcip", "dstip", "src_ip", "dest_ip", "url", "hostname", "domain", "md5_after", "sha1_after", "sha256_after")
MOST_VALUES = 20
MOST_BYTES = 60000


def values_of(alert):
    """Values of the known fields, each once."""
    found = []
    for part in (alert.get("data") or {}, alert.get("syscheck") or {}):
        for field in FIELDS:
            value = part.get(field)
            if isinstance(value, str) and value and value not in found:
                found.append(value)
    return found[:MOST_VALUES]


def look_up(base, token, values):
    """The enrichments of the sidecar, in order."""
    body = json.dumps({"indicators": values, "timeout_ms": 10000}).encode()
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = "Bearer " + token
    request = urllib.request.Request(base.rstrip("/") + "/v1/lookup", data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)["enrichments"]


def send(event, agent):
    """One event into the queue of the manager."""
    location = "ismalicious"
    if agent.get("id", "000") != "000":
        location = "[%s] (%s) %s->ismalicious" % (agent.get("id"), agent.get("name", "-"), agent.get("ip", "any"))
    message = "1:%s:%s" % (location.replace("|", "||").replace(":", "|:"), json.dumps(event))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as queue:
        queue.connect(QUEUE)
        queue.send(message.encode()[:MOST_BYTES])


def main(arguments):
    """Reads the alert, looks its values up, sends an event for each."""
    path, token, base = (list(arguments) + ["", "", ""])[:3]
    with open(path, encoding="utf-8") as file:
        alert = json.load(file)
    about = {"alert_id": alert.get("id"), "rule_id": (alert.get("rule") or {}).get("id")}
    values = values_of(alert)
    if not values:
        return 0
    try:
        answers = look_up(base, token, values)
    except (OSError, ValueError, KeyError, urllib.error.URLError) as error:
        answers = [{"indicator": value, "verdict": "unknown", "status": "unavailable", "message": str(error)} for value in values]
    for answer in answers:
        keep = ("indicator", "type", "verdict", "status", "score", "tier", "categories", "message")
        event = {"integration": "ismalicious", "ismalicious": {**about, **{name: answer[name] for name in keep if answer.get(name) is not None}}}
        send(event, alert.get("agent") or {})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
