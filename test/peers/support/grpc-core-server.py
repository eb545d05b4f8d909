"""An OTLP trace service on gRPC's C core, for the tests of coldspan's gRPC client.

Started with its settings as one JSON argument. Takes any request as bytes and answers as the request's
`peer-answer` header asks. Writes its port, then each call before it is answered, as lines of JSON; echoes
`sync NUMBER`, ends gracefully when told `stop MILLISECONDS`, at once when its standard input ends.
"""

import base64
import collections
import concurrent.futures
import hashlib
import json
import os
import sys
import threading
import time

import grpc

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
STATUS = {status.value[0]: status for status in grpc.StatusCode}
# More calls at once than any test makes: a call that waits for its turn would look like a slow server.
MAX_CALLS = 64

settings = json.loads(sys.argv[1])
write_lock = threading.Lock()
answered = collections.Counter()


def write(message):
    with write_lock:
        print(json.dumps(message), flush=True)


def requested_answer(metadata):
    """The header's wish, unless it was granted as often as it asks for."""
    header = metadata.get("peer-answer")
    if header is None:
        return {}
    answer = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    with write_lock:
        answered[header] += 1
        return answer if answered[header] <= answer.get("times", answered[header]) else {}


def export(request, context):
    metadata = {
        key: value if isinstance(value, str) else base64.b64encode(value).decode()
        for key, value in context.invocation_metadata()
    }
    answer = requested_answer(metadata)
    write({
        "sha256": hashlib.sha256(request).hexdigest(),
        "bytes": len(request),
        "metadata": metadata,
        "connection": context.peer(),
        "timeLeftMs": (context.time_remaining() or 0) * 1000,
    })
    time.sleep(answer.get("delayMs", 0) / 1000)
    if "details" in answer:
        details = base64.b64decode(answer["details"])
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
    status = answer.get("status", 0)
    if status != 0:
        context.abort(STATUS[status], answer.get("text", ""))
    return base64.b64decode(answer.get("body", ""))


def listen(server):
    address = f"127.0.0.1:{settings.get('port', 0)}"
    tls = settings.get("tls")
    if tls is None:
        return server.add_insecure_port(address)
    client_ca = tls.get("clientCa")
    credentials = grpc.ssl_server_credentials(
        [(tls["key"].encode(), tls["cert"].encode())],
        root_certificates=None if client_ca is None else client_ca.encode(),
        require_client_auth=client_ca is not None,
    )
    return server.add_secure_port(address, credentials)


server = grpc.server(
    concurrent.futures.ThreadPoolExecutor(MAX_CALLS),
    options=list(settings.get("channelArgs", {}).items()),
    compression=grpc.Compression.Gzip if settings.get("compressAnswers") else None,
)
handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
port = listen(server)
server.start()
write({"port": port})

for line in sys.stdin:
    command, number = line.split()
    if command == "sync":
        write({"synced": int(number)})
    if command == "stop":
        server.stop(int(number) / 1000).wait()
        break
os._exit(0)
