"""The search command as users write it today: splunklib, a dict of verdicts in memory, five added fields. Needs `pip install splunk-sdk`."""
import sys

from splunklib.searchcommands import Configuration, StreamingCommand, dispatch

VERDICTS = {}
for k in range(1000):
    score = k * 37 % 101
    bad = score >= 70
    VERDICTS["11.%d.%d.%d" % (k // 7 % 256, k // 3 % 256, k % 256)] = (
        "True" if bad else "False", str(score), "botnet" if bad else "", "p1" if bad else "log", "cache")
MISS = ("", "", "", "", "")


@Configuration(distributed=False)
class IsMalicious(StreamingCommand):
    def stream(self, records):
        field = self.fieldnames[0]
        for r in records:
            value = r.get(field, "")
            hit = VERDICTS.get(value[0] if isinstance(value, list) else value, MISS)
            r["im_malicious"], r["im_score"], r["im_category"], r["im_tier"], r["im_source"] = hit
            yield r


dispatch(IsMalicious, sys.argv, sys.stdin, sys.stdout, __name__)
