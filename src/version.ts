/** The package's version, written in by the build. */

declare const __COLDSPAN_VERSION__: string | undefined;

/** Such as `0.1.0`; `0.0.0` when the sources run unbuilt. */
export const VERSION: string =
  typeof __COLDSPAN_VERSION__ === "string" ? __COLDSPAN_VERSION__ : "0.0.0";
