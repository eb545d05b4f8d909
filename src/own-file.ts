/** Where this code is. */

/**
 * The path of the file this code runs in: of `dist/`, of the image, or of the user's own bundle. Not
 * `import.meta` alone: bundlers that turn our ES module into CommonJS, as most functions are bundled,
 * leave it empty.
 */
export const OWN_FILE: string = typeof __filename === "string" ? __filename : import.meta.filename;
