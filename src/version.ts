declare const __COLDSPAN_VERSION__: string | undefined;

/** The package's version, put in by the build; run from source there is none. */
export const VERSION: string =
  typeof __COLDSPAN_VERSION__ === "string" ? __COLDSPAN_VERSION__ : "0.0.0";
