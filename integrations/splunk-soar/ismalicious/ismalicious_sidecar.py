"""Calls of the isMalicious sidecar, and how its answers are read. Standard library only."""
import ipaddress
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List, Optional

SLACK_S = 5
DEFAULT_TIMEOUT_MS = 20_000
MAX_ANSWER_BYTES = 16 * 1024 * 1024
COMPLETE = ("ok", "stale")
LEFT_ALONE = ("skipped_empty", "skipped_private", "skipped_allowlist")
VERDICTS = ("malicious", "suspicious", "clean", "unknown")


class SidecarError(Exception):
    """What the analyst is shown."""


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
    """A sidecar, by the settings of an asset."""

    def __init__(self, config: Dict[str, Any]) -> None:
        url, token = str(config.get("url") or ""), str(config.get("token") or "")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SidecarError('Set "url" of the asset to the address of the sidecar, like https://sidecar:8787.')
        if parts.username or parts.password:
            raise SidecarError('Take the password out of "url": a token goes into "token".')
        if token and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise SidecarError(f"The token is not sent over plain http to another machine: use https://{parts.netloc}.")
        self._base_url, self._token = url.rstrip("/"), token
        self._timeout_ms = int(config.get("timeout_ms") or DEFAULT_TIMEOUT_MS)
        self._tlp: Optional[str] = config.get("tlp") or None
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    def call(self, path: str, body: Dict[str, Any]) -> Dict[str, Any]:
        """Posts a body; gives the answer as an object."""
        headers = {"Content-Type": "application/json", "User-Agent": "ismalicious-splunk-soar"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._base_url + path, data=json.dumps(body).encode(), headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_ms / 1000 + SLACK_S) as response:
                answer = json.loads(response.read(MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            raise SidecarError(refusal_of(error))
        except (OSError, ValueError) as error:
            raise SidecarError(f"The sidecar gave no answer that can be read: {getattr(error, 'reason', error)}.")
        if not isinstance(answer, dict):
            raise SidecarError("The sidecar answered not in its own form.")
        return answer

    def plan(self) -> Dict[str, Any]:
        """What a look-up would cost: this spends nothing."""
        answer = self.call("/v1/lookup", {"indicators": ["8.8.8.8"], "plan": True})
        if "plan" not in answer:
            raise SidecarError("The sidecar answered without a plan: is this its address?")
        return answer["plan"]

    def lookup(self, value: str) -> Dict[str, Any]:
        """The enrichment of a value, with route and note; an error where no source answered."""
        body: Dict[str, Any] = {"indicators": [value], "timeout_ms": self._timeout_ms}
        if self._tlp:
            body["tlp"] = self._tlp
        found = self.call("/v1/lookup", body).get("enrichments") or [{}]
        one = found[0]
        if one.get("verdict") not in VERDICTS or not isinstance(one.get("status"), str):
            raise SidecarError("The sidecar answered with a verdict that this version does not know.")
        is_answer = one["status"] in COMPLETE or one["status"] == "partial" or one["status"].startswith("skipped_")
        if not is_answer and one["verdict"] == "unknown":
            raise SidecarError(f"No source answered ({one['status']}): {one.get('message') or 'try again later'}. This does not mean clean.")
        return {**one, "complete": one["status"] in COMPLETE, "route": route_of(one), "note": note_of(one)}

    def extract(self, text: str) -> List[Dict[str, Any]]:
        """The indicators of a text; nothing is looked up."""
        found = self.call("/v1/extract", {"text": text, "unique": True}).get("indicators")
        if not isinstance(found, list):
            raise SidecarError("The sidecar answered without a list of indicators.")
        return found

    def overrule(self, said: Dict[str, Any]) -> Dict[str, Any]:
        """An analyst's word for a value."""
        return self.call("/v1/feedback", said)

    def watch(self, wanted: Dict[str, Any]) -> Dict[str, Any]:
        """Puts a value on the watchlist; an error where it cannot be watched."""
        result = (self.call("/v1/watchlist", wanted).get("results") or [{}])[0]
        if "indicator" not in result:
            raise SidecarError(f"It is not watched: {result.get('message', 'the sidecar did not say why')}.")
        return result


def refusal_of(error: urllib.error.HTTPError) -> str:
    """Why the sidecar refused, in its own words."""
    if error.code in (401, 403):
        return 'The sidecar refused the token: set "token" of the asset to sidecar.token of its settings.'
    try:
        message = json.loads(error.read(65536))["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = "not in its own form"
    return f"The sidecar answered {error.code}: {message}."


def shown_verdict(one: Dict[str, Any]) -> str:
    """Clean only by a complete answer; what is not complete is unknown."""
    return "unknown" if one["verdict"] == "clean" and one["status"] not in COMPLETE else str(one["verdict"])


def route_of(one: Dict[str, Any]) -> str:
    """70 or more high, 40 to 69 medium, below 40 close, and only if the answer is complete; else review. Never sent: none."""
    score = one.get("score")
    if one["status"] in LEFT_ALONE:
        return "none"
    if score is not None and score >= 70:
        return "high"
    if score is not None and score >= 40:
        return "medium"
    if score is None or one["verdict"] == "unknown" or one["status"] not in COMPLETE:
        return "review"
    return "close" if one["verdict"] == "clean" else "medium"


def note_of(one: Dict[str, Any]) -> str:
    """One line for people."""
    score = "no score" if one.get("score") is None else f"score {one['score']}"
    parts = [f"{one['indicator']} is {shown_verdict(one)}, {score}, tier {one.get('tier')}"]
    if one["status"] not in COMPLETE:
        parts.append(f"not a complete answer ({one['status']}): this does not mean clean")
    if one.get("message"):
        parts.append(str(one["message"]))
    return "; ".join(parts)
