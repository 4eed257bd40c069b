"""The playbook API, as far as the playbook uses it: actions run at once, what changes the container is kept."""
import re

from phantom import base_connector

state = {"connector": None, "config": {}, "artifacts": [], "runs": {}, "changes": []}


def act(action, parameters=None, assets=None, callback=None, handle=None, name=None):
    assert assets == ["ismalicious"]
    found = base_connector.run(state["connector"], state["config"], action.replace(" ", "_"), parameters)
    state["runs"][name] = found["action_results"]
    if callback:
        success = any(one["status"] == "success" for one in found["action_results"])
        callback(action=action, success=success, container=state["container"], results=[found], handle=handle)


def completed(action_names):
    return all(name in state["runs"] for name in action_names)


def collect2(container=None, datapath=None):
    if datapath == ["artifact:*.cef"]:
        return [[one] for one in state["artifacts"]]
    block = datapath[0].split(":")[0]
    fields = [re.sub(r"^[^:]+:action_result\.(data\.\*\.)?", "", path) for path in datapath]
    rows = []
    for result in state["runs"][block]:
        for data in result["data"] or [{}]:
            rows.append([data.get(field) if ":action_result.data." in path else result[field] for field, path in zip(fields, datapath)])
    return rows


def add_note(container, note_type, title, content):
    state["changes"].append(["note", title, content])


def set_severity(container, severity):
    state["changes"].append(["severity", severity])


def set_status(container, status):
    state["changes"].append(["status", status])
