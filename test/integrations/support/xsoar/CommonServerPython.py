"""The part of the platform's own library that the integration uses, by its documentation."""
import json
import urllib.error
import urllib.request

import demistomock as demisto


class DemistoException(Exception):
    pass


class DBotScoreReliability:
    C = "C - Fairly reliable"


class DBotScoreType:
    IP, DOMAIN, URL, FILE = "ip", "domain", "url", "file"


class Common:
    class DBotScore:
        NONE, GOOD, SUSPICIOUS, BAD = 0, 1, 2, 3

        def __init__(self, indicator, indicator_type, integration_name="", score=None, malicious_description=None, reliability=None, message=None):
            if score not in (0, 1, 2, 3):
                raise TypeError("wrong DBotScore")
            self.context = {"Indicator": indicator, "Type": indicator_type, "Vendor": integration_name, "Score": score, "Reliability": reliability}
            if message:
                self.context["Message"] = message
            self.malicious = {"Vendor": integration_name, "Description": malicious_description} if score == 3 else None

    class _Indicator:
        def __init__(self, dbot_score, **fields):
            self.dbot_score = dbot_score
            self.fields = fields

        def to_context(self):
            own = {self.NAMES[name]: value for name, value in self.fields.items()}
            if self.dbot_score.malicious:
                own["Malicious"] = self.dbot_score.malicious
            return {self.KEY: own, "DBotScore": self.dbot_score.context}


def _kind(key, names):
    return type(key, (Common._Indicator,), {"KEY": key, "NAMES": names})


Common.IP = _kind("IP", {"ip": "Address"})
Common.Domain = _kind("Domain", {"domain": "Name"})
Common.URL = _kind("URL", {"url": "Data"})
Common.File = _kind("File", {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"})


class CommandResults:
    def __init__(self, outputs_prefix=None, outputs_key_field=None, outputs=None, raw_response=None, readable_output=None, indicator=None):
        self.outputs_prefix, self.outputs, self.readable, self.indicator = outputs_prefix, outputs, readable_output, indicator

    def to_context(self):
        context = {self.outputs_prefix: self.outputs}
        if self.indicator:
            context.update(self.indicator.to_context())
        return {"context": context, "readable": self.readable}


class BaseClient:
    def __init__(self, base_url, verify=True, proxy=False, headers=None):
        assert verify is True
        self._base_url, self._headers = base_url, headers or {}

    def _http_request(self, method, url_suffix="", json_data=None, timeout=10, ok_codes=None):
        request = urllib.request.Request(
            self._base_url + url_suffix,
            method=method,
            data=json.dumps(json_data).encode(),
            headers={"Content-Type": "application/json", **self._headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except urllib.error.URLError as error:
            raise DemistoException(f"Connection error: {error.reason}")
        if status not in ok_codes:
            raise DemistoException(f"Error in API call [{status}]\n{text.decode()}")
        try:
            return json.loads(text)
        except ValueError:
            raise DemistoException("Failed to parse json object from response")


def argToList(value, separator=","):
    if not value:
        return []
    return value if isinstance(value, list) else [part.strip() for part in str(value).split(separator)]


def arg_to_number(value):
    if value in (None, ""):
        return None
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"Invalid number: {value}")


def tableToMarkdown(name, rows, headers=None):
    return "\n".join([f"### {name}"] + ["|".join(str(row.get(header, "")) for header in headers) for row in rows])


def return_results(results):
    for one in results if isinstance(results, list) else [results]:
        demisto.results(one.to_context() if isinstance(one, CommandResults) else one)


def return_error(message):
    demisto.results({"error": message})
