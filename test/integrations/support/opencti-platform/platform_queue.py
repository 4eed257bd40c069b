"""The queues of an OpenCTI platform, by its own names: `publish` sends messages from stdin to a connector, `read` empties the queue of the workers."""
import base64
import json
import sys

import pika

command, port, connector = sys.argv[1:]
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(port), credentials=pika.PlainCredentials("guest", "guest")))
channel = connection.channel()
for side, exchange in (("listen", "amqp.connector.exchange"), ("push", "amqp.worker.exchange")):
    channel.exchange_declare(exchange, exchange_type="direct", durable=True)
    channel.queue_declare(f"{side}_{connector}", durable=True)
    channel.queue_bind(f"{side}_{connector}", exchange, f"{side}_routing_{connector}")
channel.confirm_delivery()
if command == "publish":
    for message in json.load(sys.stdin):
        channel.basic_publish("amqp.connector.exchange", f"listen_routing_{connector}", json.dumps(message), mandatory=True)
else:
    found = []
    while True:
        _method, _properties, body = channel.basic_get(f"push_{connector}", auto_ack=True)
        if body is None:
            break
        message = json.loads(body)
        found.append({"work": message["work_id"], "bundle": json.loads(base64.b64decode(message["content"]))})
    json.dump(found, sys.stdout)
connection.close()
