"""Extracts the indicators of a container, looks them up, routes by the worst of them and writes a note. Nothing is blocked.

The asset of the app is named `ismalicious`.
"""
import json

import phantom.rules as phantom

ASSET = "ismalicious"
LOOKUPS = {
    "ipv4-addr": ("lookup ip", "ip"),
    "ipv6-addr": ("lookup ip", "ip"),
    "domain-name": ("lookup domain", "domain"),
    "url": ("lookup url", "url"),
    "file": ("lookup file", "hash"),
}
WORST_FIRST = ("high", "medium", "review", "close")


def on_start(container):
    artifacts = phantom.collect2(container=container, datapath=["artifact:*.cef"])
    text = json.dumps([container.get("name"), container.get("description"), artifacts])
    phantom.act("extract indicators", parameters=[{"text": text}], assets=[ASSET], callback=look_up, name="extract")


def look_up(action=None, success=None, container=None, results=None, handle=None, **_kwargs):
    found = [one for result in results or [] for action_result in result["action_results"] for one in action_result["data"]]
    known = [(LOOKUPS[one["type"]], one["value"]) for one in found if one["type"] in LOOKUPS]
    if not known:
        finish(container, "review", ["isMalicious found no indicator: this does not mean clean."])
        return
    names = sorted({name for (name, _), _ in known})
    blocks = json.dumps([name.replace(" ", "_") for name in names])
    for name in names:
        parameters = [{field: value} for (other, field), value in known if other == name]
        phantom.act(name, parameters=parameters, assets=[ASSET], callback=join, handle=blocks, name=name.replace(" ", "_"))


def join(action=None, success=None, container=None, results=None, handle=None, **_kwargs):
    blocks = json.loads(handle)
    if phantom.completed(action_names=blocks):
        route(container, blocks)


def route(container, blocks):
    routes, notes = [], []
    for block in blocks:
        paths = ["status", "message", "data.*.route", "data.*.note"]
        for status, message, one, note in phantom.collect2(
            container=container, datapath=[f"{block}:action_result.{path}" for path in paths]
        ):
            routes.append(one if status == "success" and one else "review")
            notes.append(note if status == "success" and note else message)
    worst = next((one for one in WORST_FIRST if one in routes), "review")
    finish(container, worst, notes)


def finish(container, where, notes):
    phantom.add_note(container=container, note_type="general", title=f"isMalicious: {where}", content="\n".join(notes))
    if where == "high":
        phantom.set_severity(container=container, severity="high")
    elif where == "medium":
        phantom.set_severity(container=container, severity="medium")
    elif where == "close":
        phantom.set_status(container=container, status="closed")


def on_finish(container, summary):
    return None
