/** What the image's preload does for a handler, with a mark in place of a span. */
import type { Handler } from "../../src/lambda/handler-export.ts";
import { interceptHandler } from "../../src/lambda/handler-hook.ts";

interceptHandler({
  handler: process.env._HANDLER ?? "",
  isRuntime: (url) => /\/ric-[34]-[^/]+\/(?:dist\/)?index\.mjs$/.test(url),
  beforeLoad: () => {
    console.log("before load");
  },
  wrap: (handler) => {
    const wrapped = (event: never, context: never): unknown => {
      console.log("wrapped call");
      return handler(event, context);
    };
    for (const symbol of Object.getOwnPropertySymbols(handler)) {
      Reflect.set(wrapped, symbol, Reflect.get(handler, symbol));
    }
    return wrapped as Handler;
  },
});
