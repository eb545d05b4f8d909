import { testConnections } from "./grpc-suite/connections.ts";
import { testMessages } from "./grpc-suite/messages.ts";
import { serveWith } from "./grpc-suite/serve.ts";
import { testStatuses } from "./grpc-suite/statuses.ts";
import { testTls } from "./grpc-suite/tls.ts";
import { startGrpcJsServer } from "./support/grpc-js-server.ts";

const serve = serveWith(startGrpcJsServer);

testMessages(serve);
testStatuses(startGrpcJsServer);
testTls(serve);
testConnections(serve);
