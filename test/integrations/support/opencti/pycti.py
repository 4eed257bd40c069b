"""The library of OpenCTI, as far as the connector uses it: messages of the queue on stdin, what became of each on stdout."""
import json
import sys


class OpenCTIConnectorHelper:
    def __init__(self, config, playbook_compatible=False):
        assert playbook_compatible
        self.sent = []

    def stix2_create_bundle(self, objects):
        return json.dumps({"type": "bundle", "objects": objects})

    def send_stix2_bundle(self, bundle):
        self.sent.append(json.loads(bundle))
        return [bundle]

    def listen(self, message_callback):
        out = []
        for message in json.load(sys.stdin):
            self.sent = []
            try:
                out.append({"message": message_callback(message), "sent": self.sent})
            except Exception as error:
                out.append({"error": str(error), "sent": self.sent})
        json.dump(out, sys.stdout)
