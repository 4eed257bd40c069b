"""MISP module: asks the isMalicious sidecar about an attribute (expansion and hover). Standard library only."""
import ipaddress
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Dict, List, Optional

misperrors = {"error": "Error"}
mispattributes = {
    "input": [
        "ip-src",
        "ip-dst",
        "ip-src|port",
        "ip-dst|port",
        "domain",
        "hostname",
        "url",
        "uri",
        "md5",
        "sha1",
        "sha256",
        "filename|md5",
        "filename|sha1",
        "filename|sha256",
        "email-src",
        "email-dst",
    ],
    "format": "misp_standard",
}
moduleinfo = {
    "version": "1.0",
    "author": "isMalicious SIEM pack",
    "description": "Verdict, score and tier of an attribute from all sources of the isMalicious sidecar.",
    "module-type": ["expansion", "hover"],
    "name": "isMalicious",
    "logo": "",
    "requirements": ["A running isMalicious sidecar"],
    "features": "The sidecar asks its sources side by side, merges them into one score, and keeps one cache and one budget.",
    "references": ["https://ismalicious.com"],
    "input": "An address, domain, URL, hash or mail address.",
    "output": "A report object with verdict, score, tier, categories and what each source said, and tags for the attribute.",
}
moduleconfig = ["url", "token", "timeout_ms", "tlp"]

SLACK_S = 5
DEFAULT_TIMEOUT_MS = 20_000
MAX_ANSWER_BYTES = 16 * 1024 * 1024
COMPLETE = ("ok", "stale")
VERDICTS = ("malicious", "suspicious", "clean", "unknown")
LEFT_ALONE = ("skipped_empty", "skipped_private", "skipped_allowlist", "skipped_tlp")
REPORT_TEMPLATE = "70a68471-df22-4e3f-aa1a-5a3be19f82df"


class Fault(Exception):
    """What the user of MISP is shown."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to the sidecar and nowhere else."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url_of(config: Dict[str, Any]) -> str:
    url = str(config.get("url") or "")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Fault('Set "url" of the module to the address of the sidecar, like https://sidecar:8787.')
    if parts.username or parts.password:
        raise Fault('Take the password out of "url": a token goes into "token".')
    if config.get("token") and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Fault(f"The token is not sent over plain http to another machine: use https://{parts.netloc}.")
    return url.rstrip("/")


def timeout_of(config: Dict[str, Any]) -> int:
    text = str(config.get("timeout_ms") or DEFAULT_TIMEOUT_MS)
    if not text.isdigit() or not 1 <= int(text) <= 600_000:
        raise Fault('"timeout_ms" has to be a whole number of milliseconds, 1 to 600000.')
    return int(text)


def look_up(value: str, config: Dict[str, Any]) -> Dict[str, Any]:
    """The sidecar's enrichment of one value."""
    base_url, timeout_ms = base_url_of(config), timeout_of(config)
    body: Dict[str, Any] = {"indicators": [value], "timeout_ms": timeout_ms}
    if config.get("tlp"):
        body["tlp"] = config["tlp"]
    headers = {"Content-Type": "application/json", "User-Agent": "ismalicious-misp-module"}
    if config.get("token"):
        headers["Authorization"] = f"Bearer {config['token']}"
    request = urllib.request.Request(f"{base_url}/v1/lookup", data=json.dumps(body).encode(), headers=headers, method="POST")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), _NoRedirects(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    try:
        with opener.open(request, timeout=timeout_ms / 1000 + SLACK_S) as response:
            text = response.read(MAX_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise Fault(refusal_of(error))
    except (OSError, ValueError) as error:
        raise Fault(f"The sidecar gave no answer: {getattr(error, 'reason', error)}.")
    return enrichment_of(text)


def refusal_of(error: urllib.error.HTTPError) -> str:
    if error.code in (401, 403):
        return 'The sidecar refused the token: set "token" to sidecar.token of its settings.'
    try:
        message = json.loads(error.read(65536))["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = "not in its own form"
    return f"The sidecar answered {error.code}: {message}."


def enrichment_of(text: bytes) -> Dict[str, Any]:
    try:
        one = json.loads(text)["enrichments"][0]
        if one["verdict"] in VERDICTS and isinstance(one["status"], str):
            return one
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    raise Fault("The sidecar answered without an enrichment that this version knows.")


def value_of(attribute: Dict[str, Any]) -> str:
    """What is looked up: of a composite attribute the address or the hash."""
    kind, value = attribute["type"], str(attribute["value"])
    if "|" not in kind or "|" not in value:
        return value
    first, second = value.split("|", 1)
    return second if kind.startswith("filename|") else first


def shown_verdict(one: Dict[str, Any]) -> str:
    """Clean only by a complete answer; what is not complete is unknown."""
    if one["verdict"] == "clean" and one["status"] not in COMPLETE:
        return "unknown"
    return str(one["verdict"])


def tags_of(one: Dict[str, Any]) -> List[Dict[str, str]]:
    verdict = shown_verdict(one)
    names = [f'isMalicious:verdict="{verdict}"', f'isMalicious:status="{one["status"]}"']
    if one.get("tier"):
        names.append(f'isMalicious:tier="{one["tier"]}"')
    if one.get("score") is not None and verdict != "unknown":
        names.append(f'isMalicious:score="{one["score"]}"')
    return [{"name": name} for name in names]


def summary_of(one: Dict[str, Any]) -> str:
    score = "no score" if one.get("score") is None else f"score {one['score']}"
    lines = [f"isMalicious: {shown_verdict(one)}, {score}, tier {one.get('tier')}"]
    if one["status"] in LEFT_ALONE:
        lines.append(f"Not looked up ({one['status']}).")
    elif one["status"] not in COMPLETE:
        lines.append(f"Not a complete answer ({one['status']}): this does not mean clean.")
    if one.get("categories"):
        lines.append("Categories: " + ", ".join(one["categories"]))
    for source in one.get("providers", []):
        said = source["status"] if source.get("score") is None else f"{source['status']}, score {source['score']}"
        lines.append(f"{source['provider']}: {said}")
    return "\n".join(lines)


def report_of(one: Dict[str, Any], attribute: Dict[str, Any]) -> Dict[str, Any]:
    """A report object that describes the attribute, with links that an analyst can open."""
    report: List[Dict[str, Any]] = [
        {"type": "text", "object_relation": "summary", "value": summary_of(one), "Tag": tags_of(one)},
    ]
    for source in one.get("providers", []):
        if source.get("reference"):
            report.append({"type": "link", "object_relation": "link", "value": source["reference"], "comment": source["provider"]})
    for entry in report:
        entry.update({"uuid": str(uuid.uuid4()), "disable_correlation": True, "to_ids": False})
    reference = {"referenced_uuid": attribute["uuid"], "relationship_type": "describes"}
    return {
        "name": "report",
        "meta-category": "misc",
        "template_uuid": REPORT_TEMPLATE,
        "template_version": "8",
        "uuid": str(uuid.uuid4()),
        "comment": f"isMalicious on {one['indicator']}",
        "ObjectReference": [reference],
        "Attribute": report,
    }


def handler(q: Any = False) -> Any:
    """Called by misp-modules with a request as JSON."""
    if q is False:
        return False
    request = json.loads(q)
    attribute: Optional[Dict[str, Any]] = request.get("attribute")
    if not attribute or not all(attribute.get(name) for name in ("type", "value", "uuid")):
        return {"error": 'This module needs an "attribute" with type, value and uuid.'}
    if attribute["type"] not in mispattributes["input"]:
        return {"error": f"Unsupported attribute type {attribute['type']}."}
    try:
        one = look_up(value_of(attribute), request.get("config") or {})
    except Fault as fault:
        misperrors["error"] = str(fault)
        return {"error": str(fault)}
    is_answer = one["status"] in COMPLETE or one["status"] == "partial" or one["status"] in LEFT_ALONE
    if not is_answer and one["verdict"] == "unknown":
        return {"error": f"No source answered ({one['status']}): {one.get('message') or 'try again later'}. This does not mean clean."}
    tagged = {**attribute, "Tag": [*attribute.get("Tag", []), *tags_of(one)]}
    return {"results": {"Object": [report_of(one, attribute)], "Attribute": [tagged]}}


def introspection() -> Dict[str, Any]:
    return mispattributes


def version() -> Dict[str, Any]:
    return {**moduleinfo, "config": moduleconfig}
