"""OpenCTI internal enrichment connector: asks the isMalicious sidecar about an observable, and gives it score, labels, links and a note."""
import ipaddress
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timezone
from typing import Any, Dict, List, Optional

from pycti import OpenCTIConnectorHelper

OCTI_SCO = "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82"
SUPPORTED = ("ipv4-addr", "ipv6-addr", "domain-name", "hostname", "url", "stixfile", "artifact", "email-addr")
COMPLETE = ("ok", "stale")
LEFT_ALONE = ("skipped_empty", "skipped_private", "skipped_allowlist", "skipped_tlp")
VERDICTS = ("malicious", "suspicious", "clean", "unknown")
LABEL_PREFIX = "ismalicious:"
SLACK_S = 5
MOST_MS = 600_000
MAX_ANSWER_BYTES = 16 * 1024 * 1024
TLP_NAMES = {"TLP:CLEAR": "CLEAR", "TLP:WHITE": "CLEAR", "TLP:GREEN": "GREEN", "TLP:AMBER": "AMBER", "TLP:AMBER+STRICT": "AMBER+STRICT", "TLP:RED": "RED"}
NOTE_NAMESPACE = uuid.UUID("4c9f2a52-7e43-4f0a-9d1c-1c6d7f4b8d10")


class SidecarError(Exception):
    """What the user of OpenCTI sees at the work of the connector."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to the sidecar and nowhere else."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Sidecar:
    """A sidecar, by address and token."""

    def __init__(self, url: str, token: Optional[str], timeout_ms: int) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise SidecarError("Set ISMALICIOUS_SIDECAR_URL to the address of the sidecar, like https://sidecar:8787, without a password.")
        if token and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise SidecarError(f"The token is not sent over plain http to another machine: use https://{parts.netloc}.")
        self._url, self._token, self._timeout_ms = url.rstrip("/") + "/v1/lookup", token, timeout_ms
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    def lookup(self, value: str, tlp: str) -> Dict[str, Any]:
        """The enrichment of a value; an error where no source answered."""
        headers = {"Content-Type": "application/json", "User-Agent": "ismalicious-opencti"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        body = json.dumps({"indicators": [value], "timeout_ms": self._timeout_ms, "tlp": tlp}).encode()
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_ms / 1000 + SLACK_S) as response:
                one = json.loads(response.read(MAX_ANSWER_BYTES))["enrichments"][0]
        except urllib.error.HTTPError as error:
            raise SidecarError("The sidecar refused the token." if error.code in (401, 403) else f"The sidecar answered {error.code}.")
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise SidecarError(f"The sidecar gave no answer that can be read: {getattr(error, 'reason', error)}.")
        if one.get("verdict") not in VERDICTS or not isinstance(one.get("status"), str):
            raise SidecarError("The sidecar answered with a verdict that this version does not know.")
        is_answer = one["status"] in COMPLETE or one["status"] == "partial" or one["status"] in LEFT_ALONE
        if not is_answer and one["verdict"] == "unknown":
            raise SidecarError(f"No source answered ({one['status']}): {one.get('message') or 'try again later'}. This does not mean clean.")
        return one


def value_of(stix: Dict[str, Any]) -> Optional[str]:
    """What is looked up: the value, or the best hash of a file."""
    hashes = stix.get("hashes") or {}
    for name in ("SHA-256", "SHA-1", "MD5"):
        if hashes.get(name):
            return str(hashes[name])
    return str(stix["value"]) if stix.get("value") else None


def strictest_tlp(entity: Dict[str, Any]) -> str:
    """The TLP of an observable; without a marking it is CLEAR."""
    order = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
    found = [
        # A TLP that is not known is the strictest.
        TLP_NAMES.get(marking.get("definition", ""), "RED")
        for marking in entity.get("objectMarking") or []
        if marking.get("definition_type") == "TLP"
    ]
    return max(found, key=order.index, default="CLEAR")


def shown_verdict(one: Dict[str, Any]) -> str:
    """Clean only by a complete answer; what is not complete is unknown."""
    return "unknown" if one["verdict"] == "clean" and one["status"] not in COMPLETE else str(one["verdict"])


def note_of(one: Dict[str, Any]) -> str:
    """What the note says: the verdict, then what each source said."""
    score = "no score" if one.get("score") is None else f"score {one['score']}"
    lines = [f"**{shown_verdict(one)}**, {score}, tier {one.get('tier')}"]
    if one["status"] not in COMPLETE:
        lines.append(f"Not a complete answer ({one['status']}): this does not mean clean.")
    for source in one.get("providers", []):
        said = source["status"] if source.get("score") is None else f"{source['status']}, score {source['score']}"
        lines.append(f"- {source['provider']}: {said}")
    return "\n".join(lines)


def moved(stix: Dict[str, Any], key: str) -> Any:
    """A property from the observable itself, where pycti puts it and OpenCTI prefers it, or from OpenCTI's extension."""
    own = [stix.pop(name) for name in (f"x_opencti_{key}", key) if name in stix]
    return next((value for value in own if value is not None), stix.get("extensions", {}).get(OCTI_SCO, {}).get(key))


def enriched(stix: Dict[str, Any], one: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The observable with score, labels and links, and a note on it. Unknown leaves the score as it is."""
    verdict = shown_verdict(one)
    score, given, known = (moved(stix, key) for key in ("score", "labels", "external_references"))
    extension = stix.setdefault("extensions", {}).setdefault(OCTI_SCO, {})
    if one.get("score") is not None and verdict != "unknown":
        score = one["score"]
    if score is not None:
        extension["score"] = score
    labels = [f"{LABEL_PREFIX}{verdict}"] + [str(category) for category in one.get("categories", [])]
    kept = [label for label in given or [] if not label.startswith(LABEL_PREFIX)]
    extension["labels"] = list(dict.fromkeys(kept + labels))
    links = [
        {"source_name": source["provider"], "url": source["reference"]} for source in one.get("providers", []) if source.get("reference")
    ]
    known = known or []
    # OpenCTI adds an id and more to a link: the same page is the same link.
    pages = [(link.get("source_name"), link.get("url")) for link in known]
    if known or links:
        extension["external_references"] = known + [link for link in links if (link["source_name"], link["url"]) not in pages]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    note = {
        "type": "note",
        "spec_version": "2.1",
        # One note for each observable: the next answer replaces it.
        "id": f"note--{uuid.uuid5(NOTE_NAMESPACE, stix['id'])}",
        "created": "2026-11-30T00:00:00.000Z",
        "modified": now,
        "abstract": f"isMalicious: {verdict}",
        "content": note_of(one),
        "object_refs": [stix["id"]],
    }
    if stix.get("object_marking_refs"):
        note["object_marking_refs"] = stix["object_marking_refs"]
    return [note]


class Connector:
    """Answers the messages that OpenCTI puts into the queue of the connector."""

    def __init__(self, helper: Any, sidecar: Sidecar, max_tlp: str) -> None:
        self._helper, self._sidecar, self._max_tlp = helper, sidecar, max_tlp

    def process(self, data: Dict[str, Any]) -> str:
        """Enriches the observable of a message; gives what OpenCTI shows at the work."""
        entity, stix, objects = data["enrichment_entity"], data["stix_entity"], data["stix_objects"]
        if str(entity.get("entity_type", "")).lower() not in SUPPORTED:
            # Part of a playbook: what came goes on as it is.
            return self._send(objects, f"{entity.get('entity_type')} is not looked up") if not data.get("event_type") else "Not in scope"
        order = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
        tlp = strictest_tlp(entity)
        if order.index(tlp) > order.index(self._max_tlp):
            raise SidecarError(f"The observable is marked TLP:{tlp}, above ISMALICIOUS_MAX_TLP ({self._max_tlp}): it is not looked up.")
        value = value_of(stix)
        if value is None:
            raise SidecarError("The observable has neither a value nor a hash.")
        one = self._sidecar.lookup(value, tlp)
        if one["status"] in LEFT_ALONE:
            return self._send(objects, f"Not looked up ({one['status']})")
        if data.get("event_type"):
            self._remove_former_labels(entity, f"{LABEL_PREFIX}{shown_verdict(one)}")
        added = enriched(stix, one)
        rest = [stix if one_of.get("id") == stix["id"] else one_of for one_of in objects]
        return self._send([*rest, *added], f"{shown_verdict(one)}, score {one.get('score')}, status {one['status']}")

    def _remove_former_labels(self, entity: Dict[str, Any], current: str) -> None:
        """OpenCTI adds the labels of a bundle to those that are there: a former verdict would stay beside the new one."""
        for label in entity.get("objectLabel") or []:
            if label["value"].startswith(LABEL_PREFIX) and label["value"] != current:
                self._helper.api.stix_cyber_observable.remove_label(id=entity["id"], label_id=label["id"])

    def _send(self, objects: List[Dict[str, Any]], message: str) -> str:
        # Without pycti's clean-up: it drops markings that the platform knows, but that are not in the bundle, and so the note would lose its TLP.
        self._helper.send_stix2_bundle(self._helper.stix2_create_bundle(objects))
        return message


def main() -> None:
    """Registers with OpenCTI and listens; settings come from the environment."""
    env = os.environ
    # Wrong settings end here, before the platform shows a connector that answers nothing.
    max_tlp = env.get("ISMALICIOUS_MAX_TLP", "AMBER").replace("TLP:", "")
    if max_tlp not in TLP_NAMES.values():
        raise SidecarError("ISMALICIOUS_MAX_TLP has to be CLEAR, GREEN, AMBER, AMBER+STRICT or RED.")
    timeout_ms = env.get("ISMALICIOUS_SIDECAR_TIMEOUT_MS", "20000")
    if not re.fullmatch("[1-9][0-9]{0,5}", timeout_ms) or int(timeout_ms) > MOST_MS:
        raise SidecarError(f"ISMALICIOUS_SIDECAR_TIMEOUT_MS has to be a whole number of milliseconds, 1 to {MOST_MS}.")
    sidecar = Sidecar(env.get("ISMALICIOUS_SIDECAR_URL", ""), env.get("ISMALICIOUS_SIDECAR_TOKEN"), int(timeout_ms))
    try:
        helper = OpenCTIConnectorHelper({}, playbook_compatible=True)
    except Exception as error:  # pylint: disable=broad-except
        # pycti ends the process without a word on what it does not catch.
        raise SidecarError(f"OpenCTI does not take the connector: {error}. Check OPENCTI_URL, OPENCTI_TOKEN and the CONNECTOR_ settings.")
    helper.listen(message_callback=Connector(helper, sidecar, max_tlp).process)


if __name__ == "__main__":
    try:
        main()
    except SidecarError as error:
        sys.exit(str(error))
