/** Preloaded: AWS's distribution, and the ESM hook that the instrumentation of Lambda needs. */

require("@aws/aws-distro-opentelemetry-node-autoinstrumentation/register");
