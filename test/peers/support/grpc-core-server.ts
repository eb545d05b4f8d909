/** The trace service on gRPC's C core, in a process of its own. */
import { fileURLToPath } from "node:url";
import type { GrpcPeer, GrpcPeerOptions, PeerCall } from "./grpc-peer.ts";
import { Program, requireProgram } from "./program.ts";

const SERVER = fileURLToPath(new URL("grpc-core-server.py", import.meta.url));

/** A line of the server's output: its port, a call, or the echo of a question. */
type Message = { readonly port: number } | PeerCall | { readonly synced: number };

export async function startGrpcCoreServer(options: GrpcPeerOptions = {}): Promise<GrpcPeer> {
  const program = new Program(requireProgram("python"), [SERVER, JSON.stringify(options)]);
  const readAll = (): Message[] => program.lines.flatMap(parse);
  const port = await program.waitFor(() => readAll().find((message) => "port" in message)?.port);
  let questions = 0;
  return {
    port,
    async calls() {
      if (!program.hasEnded) {
        const question = ++questions;
        program.tell(`sync ${question}`);
        await program.waitFor(() =>
          readAll().find((message) => "synced" in message && message.synced === question),
        );
      }
      return readAll().filter((message) => "sha256" in message);
    },
    async stop(graceMs) {
      program.tell(`stop ${graceMs}`);
      await program.ended();
    },
    async kill() {
      program.signal("SIGKILL");
      await program.ended();
    },
  };
}

/** Lines of gRPC's own log are no JSON. */
function parse(line: string): Message[] {
  return line.startsWith("{") ? [JSON.parse(line)] : [];
}
