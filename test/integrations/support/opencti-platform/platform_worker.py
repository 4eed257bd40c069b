"""What a worker of OpenCTI does with the bundles of its queue: imports each into the platform by pycti."""
import json
import os
import sys

from pycti import OpenCTIApiClient

api = OpenCTIApiClient(os.environ["OPENCTI_URL"], os.environ["OPENCTI_TOKEN"], log_level="error")
for bundle in json.load(sys.stdin):
    # A fault is a line on stderr.
    api.stix2.import_bundle_from_json(json.dumps(bundle))
