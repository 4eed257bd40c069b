"""Runs actions or the playbook: {app, config, runs: [{identifier, parameters}]} or {app, config, playbook, container, artifacts} on stdin."""
import importlib
import json
import sys

from phantom import base_connector, rules

given = json.load(sys.stdin)
sys.path[:0] = [given["app"] + "/ismalicious", given["app"] + "/playbooks"]
connector = importlib.import_module("ismalicious_connector").IsMaliciousConnector
if "runs" in given:
    out = [base_connector.run(connector, given["config"], one["identifier"], one["parameters"]) for one in given["runs"]]
else:
    rules.state.update(connector=connector, config=given["config"], artifacts=given["artifacts"], container=given["container"])
    importlib.import_module("ismalicious_enrich_and_route").on_start(given["container"])
    out = rules.state["changes"]
json.dump(out, sys.stdout)
