import ipaddress
import json
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

import demistomock as demisto  # noqa: F401
from CommonServerPython import *  # noqa: F401,F403

VENDOR = "isMalicious"
SLACK_S = 5
MAX_AT_ONCE = 100
COMPLETE = ("ok", "stale")
LEFT_ALONE = ("skipped_empty", "skipped_private", "skipped_allowlist")
VERDICTS = ("malicious", "suspicious", "clean", "unknown")
HASH_NAMES = {32: "MD5", 40: "SHA1", 64: "SHA256"}
TABLE_HEADERS = ["Indicator", "Verdict", "Score", "Confidence", "Tier", "Status", "Categories", "Sources", "Note"]


class Client(BaseClient):
    """Calls the sidecar. A token goes over https, or over plain http to this machine."""

    def __init__(self, url: str, token: Optional[str], timeout_ms: int, verify: Any = True, proxy: bool = False):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DemistoException("Set the server URL to the address of the sidecar, like https://sidecar:8787.")
        if parts.username or parts.password:
            raise DemistoException("Take the password out of the server URL: a token goes into its own field.")
        if token and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise DemistoException("The token is not sent over plain http to another machine: use https.")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        super().__init__(base_url=url.rstrip("/"), verify=verify, proxy=proxy, headers=headers)
        self.timeout_ms = timeout_ms

    def call(self, path: str, body: Dict[str, Any]) -> Dict[str, Any]:
        answer = self._http_request(
            method="POST", url_suffix=path, json_data=body, timeout=self.timeout_ms / 1000 + SLACK_S, ok_codes=(200, 201)
        )
        if not isinstance(answer, dict):
            raise DemistoException(f"The sidecar answered {path} not in its own form.")
        return answer

    def lookup(self, values: List[str], options: Dict[str, Any]) -> List[Dict[str, Any]]:
        """One enrichment for each value, in the same order."""
        found: List[Dict[str, Any]] = []
        for at in range(0, len(values), MAX_AT_ONCE):
            part = values[at : at + MAX_AT_ONCE]
            answer = self.call("/v1/lookup", {"indicators": part, "timeout_ms": self.timeout_ms, **options})
            enrichments = answer.get("enrichments")
            if not isinstance(enrichments, list) or len(enrichments) != len(part):
                raise DemistoException("The sidecar did not answer every value.")
            for one in enrichments:
                if one.get("verdict") not in VERDICTS or not isinstance(one.get("status"), str):
                    raise DemistoException("The sidecar answered with a verdict that this version does not know.")
            found += enrichments
        return found


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def dbot_score_of(one: Dict[str, Any]) -> int:
    """0 unknown, 1 good, 2 suspicious, 3 bad. Good only where the answer is complete."""
    if one["verdict"] == "malicious":
        return Common.DBotScore.BAD
    if one["verdict"] == "suspicious":
        return Common.DBotScore.SUSPICIOUS
    if one["verdict"] == "clean" and one["status"] in COMPLETE:
        return Common.DBotScore.GOOD
    return Common.DBotScore.NONE


def route_of(one: Dict[str, Any]) -> str:
    """The seed workflow: 70 or more high, 40 to 69 medium, below 40 close with a note. What is not complete is reviewed.

    What is never sent, as a private address, decides nothing.
    """
    if one["status"] in LEFT_ALONE:
        return "none"
    score = one.get("score")
    if score is not None and score >= 70:
        return "high"
    if score is not None and score >= 40:
        return "medium"
    if score is None or one["verdict"] == "unknown" or one["status"] not in COMPLETE:
        return "review"
    return "medium" if one["verdict"] in ("malicious", "suspicious") else "close"


def note_of(one: Dict[str, Any]) -> str:
    """One line for the incident."""
    score = "no score" if one.get("score") is None else f"score {one['score']}"
    verdict = "unknown" if dbot_score_of(one) == Common.DBotScore.NONE else one["verdict"]
    parts = [f"{one['indicator']} is {verdict}, {score}, tier {one.get('tier')}"]
    if one["status"] not in COMPLETE:
        parts.append(f"not a complete answer ({one['status']}): this does not mean clean")
    if one.get("message"):
        parts.append(str(one["message"]))
    return "; ".join(parts)


def context_of(one: Dict[str, Any]) -> Dict[str, Any]:
    """What goes below IsMalicious.Indicator."""
    return {
        "Indicator": one["indicator"],
        "Input": one.get("input", one["indicator"]),
        "Type": one.get("type"),
        "Verdict": one["verdict"],
        "Status": one["status"],
        "Score": one.get("score"),
        "Confidence": one.get("confidence"),
        "Tier": one.get("tier"),
        "Categories": one.get("categories", []),
        "Attributes": one.get("attributes", []),
        "Route": route_of(one),
        "Note": note_of(one),
        "CheckedAt": one.get("checked_at"),
        "Sources": [
            {
                "Name": source["provider"],
                "Status": source["status"],
                "Score": source.get("score"),
                "Contribution": source.get("contribution"),
                "Reference": source.get("reference"),
                "Message": source.get("message"),
            }
            for source in one.get("providers", [])
        ],
    }


def row_of(one: Dict[str, Any]) -> Dict[str, Any]:
    """A line of the war room table."""
    sources = one.get("providers", [])
    answered = [source for source in sources if source["status"] in ("ok", "not_listed")]
    return {
        "Indicator": one["indicator"],
        "Verdict": "unknown" if dbot_score_of(one) == Common.DBotScore.NONE else one["verdict"],
        "Score": "-" if one.get("score") is None else one["score"],
        "Confidence": "-" if one.get("confidence") is None else one["confidence"],
        "Tier": one.get("tier"),
        "Status": one["status"],
        "Categories": ", ".join(one.get("categories", [])),
        "Sources": f"{len(answered)} of {len(sources)} answered",
        "Note": one.get("message") or "",
    }


def indicator_of(one: Dict[str, Any], kind: str, reliability: str) -> Any:
    """The standard context of the platform for one value."""
    value = one["indicator"]
    types = {"ip": DBotScoreType.IP, "domain": DBotScoreType.DOMAIN, "url": DBotScoreType.URL, "file": DBotScoreType.FILE}
    score = Common.DBotScore(
        indicator=value,
        indicator_type=types[kind],
        integration_name=VENDOR,
        score=dbot_score_of(one),
        malicious_description=note_of(one) if one["verdict"] == "malicious" else None,
        reliability=reliability,
        message=None if one["status"] in COMPLETE else note_of(one),
    )
    if kind == "ip":
        return Common.IP(ip=value, dbot_score=score)
    if kind == "domain":
        return Common.Domain(domain=value, dbot_score=score)
    if kind == "url":
        return Common.URL(url=value, dbot_score=score)
    name = HASH_NAMES.get(len(value))
    return Common.File(dbot_score=score, **({name.lower(): value} if name else {}))


def reputation_command(client: Client, kind: str, args: Dict[str, Any], settings: Dict[str, Any]) -> List[Any]:
    """!ip, !domain, !url, !file: one result for each value."""
    values = argToList(args.get(kind))
    if not values:
        raise DemistoException(f"Give at least one value in {kind}=.")
    return [
        CommandResults(
            outputs_prefix="IsMalicious.Indicator",
            outputs_key_field="Indicator",
            outputs=context_of(one),
            raw_response=one,
            readable_output=tableToMarkdown(f"{VENDOR}: {one['indicator']}", [row_of(one)], headers=TABLE_HEADERS),
            indicator=indicator_of(one, kind, settings["reliability"]) if one.get("type") else None,
        )
        for one in client.lookup(values, settings["options"])
    ]


def lookup_command(client: Client, args: Dict[str, Any], settings: Dict[str, Any]) -> Any:
    """!ismalicious-lookup: values of any type."""
    values = argToList(args.get("indicators"))
    if not values:
        raise DemistoException("Give at least one value in indicators=.")
    found = client.lookup(values, settings["options"])
    return CommandResults(
        outputs_prefix="IsMalicious.Indicator",
        outputs_key_field="Indicator",
        outputs=[context_of(one) for one in found],
        raw_response=found,
        readable_output=tableToMarkdown(f"{VENDOR}: look-ups", [row_of(one) for one in found], headers=TABLE_HEADERS),
    )


def extract_command(client: Client, args: Dict[str, Any], settings: Dict[str, Any]) -> Any:
    """!ismalicious-extract: the indicators of a text. Nothing is looked up."""
    answer = client.call("/v1/extract", {"text": args.get("text", ""), "unique": True})
    found = [{"Type": one["type"], "Value": one["value"], "Original": one["original"]} for one in answer["indicators"]]
    title = f"{VENDOR}: indicators in the text" + (" (not read to its end)" if answer.get("truncated") else "")
    return CommandResults(
        outputs_prefix="IsMalicious.Extracted",
        outputs_key_field="Value",
        outputs=found,
        raw_response=answer,
        readable_output=tableToMarkdown(title, found, headers=["Type", "Value", "Original"]),
    )


def triage_command(client: Client, args: Dict[str, Any], settings: Dict[str, Any]) -> Any:
    """!ismalicious-triage: a decision for an alert. Nothing is blocked or closed."""
    try:
        alert = json.loads(args.get("alert", ""))
    except ValueError:
        raise DemistoException("The alert is not valid JSON.")
    found = client.call("/v1/triage", alert if isinstance(alert, dict) else {"alerts": alert})["decisions"]
    return CommandResults(
        outputs_prefix="IsMalicious.Triage",
        outputs_key_field="alert_id",
        outputs=found,
        raw_response=found,
        readable_output=tableToMarkdown(f"{VENDOR}: triage", found, headers=["alert_id", "tier", "score", "verdict", "note"]),
    )


def overrule_command(client: Client, args: Dict[str, Any], settings: Dict[str, Any]) -> Any:
    """!ismalicious-overrule: an analyst's word for a value; it holds in every host."""
    body = {name: args.get(name) for name in ("indicator", "verdict", "reason", "author")}
    hours = arg_to_number(args.get("for_hours"))
    if hours:
        body["for_s"] = hours * 3600
    found = client.call("/v1/feedback", body)
    return CommandResults(
        outputs_prefix="IsMalicious.Override",
        outputs_key_field="indicator",
        outputs=found,
        raw_response=found,
        readable_output=f"{found['indicator']} counts as {found['verdict']} from now on ({found['author']}: {found['reason']}).",
    )


def watch_command(client: Client, args: Dict[str, Any], settings: Dict[str, Any]) -> Any:
    """!ismalicious-watch: check values again and again."""
    body: Dict[str, Any] = {"indicators": argToList(args.get("indicators"))}
    for name in ("reason", "by"):
        if args.get(name):
            body[name] = args[name]
    found = client.call("/v1/watchlist", body)["results"]
    return CommandResults(
        outputs_prefix="IsMalicious.Watched",
        outputs_key_field="input",
        outputs=found,
        raw_response=found,
        readable_output=tableToMarkdown(f"{VENDOR}: watchlist", found, headers=["input", "added", "message"]),
    )


def test_module(client: Client) -> str:
    """Asks what a look-up would cost: this checks address, certificate and token, and spends nothing."""
    answer = client.call("/v1/lookup", {"indicators": ["8.8.8.8"], "plan": True})
    return "ok" if "plan" in answer else "The sidecar answered without a plan: is this its address?"


def settings_of(params: Dict[str, Any]) -> Dict[str, Any]:
    """What the instance says about look-ups."""
    options = {name: params[name] for name in ("tlp", "profile") if params.get(name)}
    return {"reliability": params.get("integrationReliability") or DBotScoreReliability.C, "options": options}


COMMANDS: Dict[str, Callable[[Client, Dict[str, Any], Dict[str, Any]], Any]] = {
    "ismalicious-lookup": lookup_command,
    "ismalicious-extract": extract_command,
    "ismalicious-triage": triage_command,
    "ismalicious-overrule": overrule_command,
    "ismalicious-watch": watch_command,
}


def main() -> None:
    """Runs the command that the platform asks for."""
    params = demisto.params()
    command = demisto.command()
    try:
        client = Client(
            url=params.get("url", ""),
            token=(params.get("credentials") or {}).get("password"),
            timeout_ms=arg_to_number(params.get("timeout_ms")) or 20000,
            proxy=params.get("proxy", False),
        )
        settings = settings_of(params)
        if command == "test-module":
            return_results(test_module(client))
        elif command in ("ip", "domain", "url", "file"):
            return_results(reputation_command(client, command, demisto.args(), settings))
        elif command in COMMANDS:
            return_results(COMMANDS[command](client, demisto.args(), settings))
        else:
            raise NotImplementedError(f"Unknown command {command}.")
    except Exception as error:
        return_error(f"{VENDOR}: {command} failed: {error}")


if __name__ in ("__main__", "__builtin__", "builtins"):
    main()
