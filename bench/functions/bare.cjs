/**
 * Nobody traces. A plain assignment: instrumentations that patch exports cannot patch the getters
 * that esbuild makes of `export`.
 */
const { handle } = require("bench:app");

exports.handler = handle;
