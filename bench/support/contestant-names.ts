/** Who flushes, apart from how: the build that coldspan is loaded from may be yet to come. */

export type ContestantName =
  | "coldspan, gRPC"
  | "coldspan, http/protobuf"
  | "batch processor, gRPC"
  | "batch processor, gRPC, longer queue"
  | "batch processor, http/protobuf";

export const CONTESTANTS: readonly ContestantName[] = [
  "coldspan, gRPC",
  "batch processor, gRPC",
  "batch processor, gRPC, longer queue",
  "coldspan, http/protobuf",
  "batch processor, http/protobuf",
];
