/** nginx as collectors' front door: its own configuration and directory, on loopback, as whoever runs the tests. */
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findFreePort } from "./free-port.ts";
import { Program, requireProgram } from "./program.ts";
import { makeDirectory } from "./temporary.ts";

export interface Nginx {
  readonly port: number;
  /** New workers take new connections; the old ones finish what they have and go. */
  reload(): Promise<void>;
  /** Ends after what is under way. */
  quit(): Promise<void>;
  /** Ends at once. */
  terminate(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

const STARTED = /start worker process \d+/;
/** The worker that was there before a reload has nothing left to do. */
const RETIRED = /gracefully shutting down/;

export interface Directives {
  /** Beside the server, such as `upstream`. */
  readonly http: string;
  /** Inside the server, such as `location`. */
  readonly server: string;
}

/** Starts nginx with one server, gone with the test; `listen` says how it listens: `http2`, `ssl`. */
export async function startNginx(listen: string, directives: Directives): Promise<Nginx> {
  const port = await findFreePort();
  const directory = makeDirectory();
  writeFileSync(
    join(directory, "nginx.conf"),
    configure(`127.0.0.1:${port} ${listen}`, directives),
  );
  const args = ["-p", directory, "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off;"];
  let program: Program;
  const start = async (): Promise<void> => {
    program = new Program(requireProgram("nginx"), args);
    await program.waitFor((lines) => lines.find((line) => STARTED.test(line)));
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    program.signal(signal);
    await program.ended();
  };
  await start();
  onTestFinished(() => program.stop());
  return {
    port,
    start,
    async reload() {
      const count = (lines: readonly string[]) => lines.filter((line) => RETIRED.test(line)).length;
      const before = count(program.lines);
      program.signal("SIGHUP");
      await program.waitFor((lines) => (count(lines) > before ? true : undefined));
    },
    quit: () => end("SIGQUIT"),
    terminate: () => end("SIGTERM"),
  };
}

function configure(listen: string, { http, server }: Directives): string {
  return `
    ${process.getuid?.() === 0 ? `user ${userInfo().username};` : ""}
    worker_processes 1;
    pid nginx.pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      client_body_temp_path body;
      proxy_temp_path proxy;
      fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi;
      scgi_temp_path scgi;
      ${http}
      server {
        listen ${listen};
        ${server}
      }
    }`;
}
