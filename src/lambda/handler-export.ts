/** Showing a module with another handler in the place of its own. */

/** A handler of any style; only the wrapper looks at its parameters. */
export type Handler = (...parameters: never[]) => unknown;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isFunction(value: unknown): value is Handler {
  return typeof value === "function";
}

/**
 * `exports` as it is, but with `replace(handler)` at the end of the path.
 * The exports are not touched (bundlers emit them as getters that cannot be redefined): each object
 * on the way is stood for by one that inherits from it. Without a function there, `exports` comes back.
 */
export function withReplacedExport(
  exports: unknown,
  path: readonly string[],
  replace: (handler: Handler) => Handler,
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return isFunction(exports) ? replace(exports) : exports;
  if (!isObject(exports) && !isFunction(exports)) return exports;
  const value: unknown = Reflect.get(exports, key);
  const replaced = withReplacedExport(value, rest, replace);
  if (replaced === value) return exports;
  // The runtime walks through functions or not by `typeof`, so a function is stood for by a function.
  const view: object = isFunction(exports) ? () => undefined : {};
  Object.setPrototypeOf(view, exports);
  Object.defineProperty(view, key, { value: replaced, enumerable: true });
  return view;
}
