/**
 * The extension inside the function's process: it holds the environment awake until the spans are out.
 * That some extension is registered also makes Lambda send SIGTERM, 500 ms before it ends the process.
 */
import { warnOnce } from "../diag.ts";
import { ExtensionRefusal, ExtensionsApi } from "./extensions-api.ts";
import { holdRuntime } from "./runtime-gate.ts";

const NAME = "coldspan";

/** A poll that broke is begun again: until it is, Lambda waits for this extension. */
const MAX_BROKEN_POLLS = 5;
const FIRST_RETRY_MS = 10;

/**
 * Asks Lambda to announce invocations; resolves to false, with one warning, when it refuses. Calls
 * `hold` for each announcement and lets Lambda freeze the environment when its promise resolves;
 * `onLost` means that no more will come. Must start during init, before the runtime asks for its first
 * invocation. Never rejects.
 */
export async function registerForInvocations(
  runtimeApi: string,
  hold: () => Promise<void>,
  onLost: () => void,
): Promise<boolean> {
  const api = new ExtensionsApi(runtimeApi);
  const registered = api.register(NAME);
  // The runtime client must not end init before Lambda has the registration.
  holdRuntime(registered);
  try {
    await registered;
  } catch (error) {
    warnOnce(
      "extension.register",
      "COLDSPAN_FLUSH=after-return is not possible, spans are sent before the return: Lambda refused " +
        `the extension (${(error as Error).message}). It has to register before init ends: load ` +
        "coldspan/init with NODE_OPTIONS=--import, or use coldspan's image.",
    );
    return false;
  }
  void poll(api, hold).then(onLost);
  return true;
}

/** Asks for one event after the other until the process ends or the API fails. Never rejects. */
async function poll(api: ExtensionsApi, hold: () => Promise<void>): Promise<void> {
  let broken = 0;
  for (;;) {
    try {
      const type = await api.next();
      broken = 0;
      if (type === "INVOKE") await hold();
    } catch (error) {
      broken++;
      if (error instanceof ExtensionRefusal || broken > MAX_BROKEN_POLLS) {
        warnOnce("extension.next", `Lambda's Extensions API failed: ${(error as Error).message}`);
        return;
      }
      await pause(FIRST_RETRY_MS * 2 ** broken);
    }
  }
}

function pause(timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, timeMs).unref();
  });
}
