"""Splunk SOAR app: look up, extract, overrule and watch through the isMalicious sidecar."""
from typing import Any, Callable, Dict, Optional

import phantom.app as phantom
from phantom.action_result import ActionResult
from phantom.base_connector import BaseConnector

from ismalicious_sidecar import Sidecar, SidecarError, shown_verdict


class IsMaliciousConnector(BaseConnector):
    """Runs one action of the app."""

    def __init__(self) -> None:
        super().__init__()
        self._sidecar: Optional[Sidecar] = None

    def initialize(self) -> bool:
        try:
            self._sidecar = Sidecar(self.get_config())
        except (SidecarError, ValueError) as error:
            return self.set_status(phantom.APP_ERROR, str(error))
        return phantom.APP_SUCCESS

    def _test_connectivity(self, _param: Dict[str, Any], result: ActionResult) -> None:
        self.save_progress("Asking the sidecar what a look-up would cost")
        result.add_data(self._sidecar.plan())
        self.save_progress("Test Connectivity Passed")

    def _lookup(self, param: Dict[str, Any], result: ActionResult) -> None:
        value = next(param[name] for name in ("ip", "domain", "url", "hash") if name in param)
        one = self._sidecar.lookup(value)
        result.add_data(one)
        result.update_summary(
            {"verdict": shown_verdict(one), "score": one.get("score"), "tier": one.get("tier"), "status": one["status"], "route": one["route"]}
        )

    def _extract(self, param: Dict[str, Any], result: ActionResult) -> None:
        found = self._sidecar.extract(param["text"])
        for one in found:
            result.add_data(one)
        result.update_summary({"indicators": len(found)})

    def _overrule(self, param: Dict[str, Any], result: ActionResult) -> None:
        said = {name: param[name] for name in ("indicator", "verdict", "author", "reason")}
        if param.get("for_hours"):
            said["for_s"] = int(param["for_hours"]) * 3600
        result.add_data(self._sidecar.overrule(said))
        result.update_summary({"verdict": said["verdict"]})

    def _watch(self, param: Dict[str, Any], result: ActionResult) -> None:
        wanted = {"indicators": [param["indicator"]], "by": param["author"], "reason": param["reason"]}
        found = self._sidecar.watch(wanted)
        result.add_data(found)
        result.update_summary({"added": bool(found.get("added"))})

    def handle_action(self, param: Dict[str, Any]) -> bool:
        actions: Dict[str, Callable[[Dict[str, Any], ActionResult], None]] = {
            "test_connectivity": self._test_connectivity,
            "lookup_ip": self._lookup,
            "lookup_domain": self._lookup,
            "lookup_url": self._lookup,
            "lookup_file": self._lookup,
            "extract_indicators": self._extract,
            "overrule_indicator": self._overrule,
            "watch_indicator": self._watch,
        }
        result = self.add_action_result(ActionResult(dict(param)))
        action = actions.get(self.get_action_identifier())
        if action is None:
            return result.set_status(phantom.APP_ERROR, f"Unknown action {self.get_action_identifier()}.")
        try:
            action(param, result)
        except SidecarError as error:
            if self.get_action_identifier() == "test_connectivity":
                self.save_progress(f"Test Connectivity Failed: {error}")
            return result.set_status(phantom.APP_ERROR, str(error))
        return result.set_status(phantom.APP_SUCCESS)
