/**
 * Every attribute name coldspan emits, in the names known up to semantic conventions 1.44;
 * `dialect.ts` turns them into those of 1.45. The word behind a name is its stability there;
 * `own` marks what the conventions have no word for.
 */

// Invocation (FaaS spans, AWS Lambda)
export const FAAS_TRIGGER = "faas.trigger"; // development
export const FAAS_COLDSTART = "faas.coldstart"; // development
export const FAAS_INVOCATION_ID = "faas.invocation_id"; // development
export const FAAS_TIME = "faas.time"; // development
export const FAAS_DOCUMENT_COLLECTION = "faas.document.collection"; // development
export const FAAS_DOCUMENT_OPERATION = "faas.document.operation"; // development
export const FAAS_DOCUMENT_NAME = "faas.document.name"; // development
export const FAAS_DOCUMENT_TIME = "faas.document.time"; // development
export const CLOUD_ACCOUNT_ID = "cloud.account.id"; // development
export const CLOUD_RESOURCE_ID = "cloud.resource_id"; // development
export const AWS_LAMBDA_INVOKED_ARN = "aws.lambda.invoked_arn"; // development
export const ERROR_TYPE = "error.type"; // stable
export const EXCEPTION_TYPE = "exception.type"; // stable
export const EXCEPTION_MESSAGE = "exception.message"; // stable
export const EXCEPTION_STACKTRACE = "exception.stacktrace"; // stable

// Resource
export const CLOUD_PROVIDER = "cloud.provider"; // development
export const CLOUD_PLATFORM = "cloud.platform"; // development
export const CLOUD_REGION = "cloud.region"; // development
export const FAAS_NAME = "faas.name"; // development
export const FAAS_VERSION = "faas.version"; // development
export const FAAS_INSTANCE = "faas.instance"; // development
export const FAAS_MAX_MEMORY = "faas.max_memory"; // development
export const AWS_LOG_GROUP_NAMES = "aws.log.group.names"; // development
export const AWS_LOG_STREAM_NAMES = "aws.log.stream.names"; // development
export const SERVICE_NAME = "service.name"; // stable

// HTTP server spans
export const HTTP_REQUEST_METHOD = "http.request.method"; // stable
export const HTTP_REQUEST_METHOD_ORIGINAL = "http.request.method_original"; // stable
export const HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"; // stable
export const HTTP_ROUTE = "http.route"; // stable
export const URL_PATH = "url.path"; // stable
export const URL_QUERY = "url.query"; // stable
export const URL_SCHEME = "url.scheme"; // stable
export const SERVER_ADDRESS = "server.address"; // stable
export const SERVER_PORT = "server.port"; // stable
export const CLIENT_ADDRESS = "client.address"; // stable
export const NETWORK_PEER_ADDRESS = "network.peer.address"; // stable
export const NETWORK_PROTOCOL_NAME = "network.protocol.name"; // stable
export const NETWORK_PROTOCOL_VERSION = "network.protocol.version"; // stable
export const USER_AGENT_ORIGINAL = "user_agent.original"; // stable
export const GRAPHQL_OPERATION_TYPE = "graphql.operation.type"; // development

// Messaging spans
export const MESSAGING_SYSTEM = "messaging.system"; // development
export const MESSAGING_OPERATION_NAME = "messaging.operation.name"; // development
export const MESSAGING_OPERATION_TYPE = "messaging.operation.type"; // development
export const MESSAGING_DESTINATION_NAME = "messaging.destination.name"; // development
export const MESSAGING_DESTINATION_PARTITION_ID = "messaging.destination.partition.id"; // development
export const MESSAGING_BATCH_MESSAGE_COUNT = "messaging.batch.message_count"; // development
export const MESSAGING_MESSAGE_ID = "messaging.message.id"; // development
export const MESSAGING_MESSAGE_CONVERSATION_ID = "messaging.message.conversation_id"; // development
export const MESSAGING_KAFKA_OFFSET = "messaging.kafka.offset"; // development
export const MESSAGING_KAFKA_MESSAGE_KEY = "messaging.kafka.message.key"; // development
export const MESSAGING_KAFKA_MESSAGE_TOMBSTONE = "messaging.kafka.message.tombstone"; // development
export const AWS_SQS_QUEUE_URL = "aws.sqs.queue.url"; // development
export const AWS_SNS_TOPIC_ARN = "aws.sns.topic.arn"; // development
export const AWS_KINESIS_STREAM_NAME = "aws.kinesis.stream_name"; // development
export const AWS_STEP_FUNCTIONS_STATE_MACHINE_ARN = "aws.step_functions.state_machine.arn"; // development
export const AWS_S3_BUCKET = "aws.s3.bucket"; // development
export const AWS_S3_KEY = "aws.s3.key"; // development

// X-Ray (collector's X-Ray exporter)
export const AWS_XRAY_ANNOTATIONS = "aws.xray.annotations"; // development
export const AWS_XRAY_METADATA_PREFIX = "aws.xray.metadata."; // development

// What the conventions have no word for
export const COLDSPAN_REQUEST_PAYLOAD = "coldspan.request.payload"; // own
export const COLDSPAN_RESPONSE_PAYLOAD = "coldspan.response.payload"; // own
export const COLDSPAN_TENANT_ID = "coldspan.tenant_id"; // own
export const COLDSPAN_BATCH_FAILURE_COUNT = "coldspan.batch.failure_count"; // own
export const COLDSPAN_EVENT_SOURCE = "coldspan.event.source"; // own
export const COLDSPAN_EVENT_SOURCE_ARN = "coldspan.event.source_arn"; // own
export const COLDSPAN_EVENT_PUBLISHER = "coldspan.event.publisher"; // own
export const COLDSPAN_EVENT_TYPE = "coldspan.event.type"; // own
export const COLDSPAN_WEBSOCKET_ROUTE = "coldspan.websocket.route"; // own
export const COLDSPAN_WEBSOCKET_CONNECTION_ID = "coldspan.websocket.connection_id"; // own
export const COLDSPAN_MESSAGE_RECEIVE_COUNT = "coldspan.message.receive_count"; // own
export const COLDSPAN_MESSAGE_QUEUE_TIME_MS = "coldspan.message.queue_time_ms"; // own
export const COLDSPAN_MESSAGE_GROUP_ID = "coldspan.message.group_id"; // own
export const COLDSPAN_MESSAGE_DEDUPLICATION_ID = "coldspan.message.deduplication_id"; // own
export const COLDSPAN_MESSAGE_SEQUENCE_NUMBER = "coldspan.message.sequence_number"; // own
export const COLDSPAN_MESSAGE_PARTITION_KEY = "coldspan.message.partition_key"; // own
export const COLDSPAN_MESSAGE_DEAD_LETTER_SOURCE = "coldspan.message.dead_letter_source"; // own
