/**
 * Resolves when the runtime client has posted the response of a handler whose promise is being
 * resolved in this tick.
 *
 * Version 4 posts one `setImmediate` after the handler's promise, version 3 in a reaction to it; both
 * write in a blocking call. So the first turn ends before the post at the earliest, and what the second
 * one runs comes after it. A streamed response has left the process before its invocation ends.
 */
export async function responsePosted(): Promise<void> {
  await turn();
  await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
