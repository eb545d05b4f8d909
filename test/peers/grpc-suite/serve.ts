import { onTestFinished } from "vitest";
import type { GrpcPeer, GrpcPeerOptions, StartGrpcPeer } from "../support/grpc-peer.ts";

export interface ServedPeer extends GrpcPeer {
  readonly endpoint: string;
}

/** Starts a peer that is gone with its test. */
export type Serve = (options?: GrpcPeerOptions) => Promise<ServedPeer>;

export function serveWith(start: StartGrpcPeer): Serve {
  return async (options) => {
    const peer = await start(options);
    onTestFinished(() => peer.kill());
    const scheme = options?.tls === undefined ? "http" : "https";
    return { ...peer, endpoint: `${scheme}://localhost:${peer.port}` };
  };
}
