/** Functions as people ship and break them; each runs under both clients. */
export interface HandlerCase {
  readonly name: string;
  readonly files: Record<string, string>;
  readonly handler: string;
}

const esModule = '{ "type": "module" }';

export const handlerCases: readonly HandlerCase[] = [
  {
    name: "a CommonJS handler",
    files: { "app.js": "exports.handler = async () => 'app.js';" },
    handler: "app.handler",
  },
  {
    name: "an ES module handler in .mjs",
    files: { "app.mjs": "export const handler = async () => 'app.mjs';" },
    handler: "app.handler",
  },
  {
    name: "an ES module handler in .js by package type",
    files: {
      "package.json": esModule,
      "app.js": "export const handler = async () => 'module app.js';",
    },
    handler: "app.handler",
  },
  {
    name: "a package type inherited from a parent folder",
    files: {
      "package.json": esModule,
      "src/app.js": "export const handler = async () => 'src/app.js';",
    },
    handler: "src/app.handler",
  },
  {
    name: ".js preferred to .mjs and .cjs",
    files: {
      "app.js": "exports.handler = async () => 'js';",
      "app.mjs": "export const handler = async () => 'mjs';",
      "app.cjs": "exports.handler = async () => 'cjs';",
    },
    handler: "app.handler",
  },
  {
    name: ".mjs preferred to .cjs",
    files: {
      "app.mjs": "export const handler = async () => 'mjs';",
      "app.cjs": "exports.handler = async () => 'cjs';",
    },
    handler: "app.handler",
  },
  {
    name: "a file without suffix",
    files: { app: "exports.handler = async () => 'app';" },
    handler: "app.handler",
  },
  {
    name: "a directory beside the file",
    files: {
      "app/index.js": "exports.handler = async () => 'app/index.js';",
      "app.js": "exports.handler = async () => 'app.js';",
    },
    handler: "app.handler",
  },
  {
    name: "a handler in a package",
    files: {
      "node_modules/app/package.json": '{ "main": "lib.js" }',
      "node_modules/app/lib.js": "exports.handler = async () => 'package';",
    },
    handler: "app.handler",
  },
  {
    name: "a nested directory",
    files: { "a/b/app.mjs": "export const handler = async () => 'a/b';" },
    handler: "a/b/app.handler",
  },
  {
    name: "a nested export",
    files: { "app.mjs": "export const api = { v1: { get: async () => 'nested' } };" },
    handler: "app.api.v1.get",
  },
  {
    name: "a handler inside the default export",
    files: { "app.mjs": "export default { handler: async () => 'default' };" },
    handler: "app.handler",
  },
  {
    name: "a default export that is the handler",
    files: { "app.mjs": "export default async () => 'default itself';" },
    handler: "app.default",
  },
  {
    name: "an export name that is no identifier",
    files: { "app.mjs": "const get = async () => 'get';\nexport { get as 'get-orders' };" },
    handler: "app.get-orders",
  },
  {
    name: "exports that cannot be redefined, as bundlers emit them",
    files: {
      "app.js": `module.exports = Object.defineProperty({}, "handler", { get: () => handler, enumerable: true });
const handler = async () => 'getter';`,
    },
    handler: "app.handler",
  },
  {
    name: "frozen exports",
    files: { "app.js": "module.exports = Object.freeze({ handler: async () => 'frozen' });" },
    handler: "app.handler",
  },
  {
    name: "a handler inherited from a class",
    files: {
      "app.js": "class App { async handler() { return 'class'; } }\nmodule.exports = new App();",
    },
    handler: "app.handler",
  },
  {
    name: "a handler hung on a function",
    files: {
      "app.js": "module.exports = () => 'outer';\nmodule.exports.handler = async () => 'inner';",
    },
    handler: "app.handler",
  },
  {
    name: "CommonJS that looks at its surroundings",
    files: {
      "app.js": `exports.handler = async () => ({
  main: require.main === undefined, file: __filename.endsWith("/app.js"), parent: typeof module.parent,
  cached: Object.keys(require.cache).filter((key) => key === __filename).length, env: process.env._HANDLER,
});`,
    },
    handler: "app.handler",
  },
  {
    name: "an ES module that looks at its surroundings",
    files: {
      "app.mjs": `import * as self from "./app.mjs";
export const handler = async () => ({ own: self.handler === handler, url: import.meta.url.endsWith("/app.mjs"), dirname: typeof import.meta.dirname });`,
    },
    handler: "app.handler",
  },
  {
    name: "CommonJS that throws",
    files: { "app.js": "function connect() { throw new TypeError('no database'); }\nconnect();" },
    handler: "app.handler",
  },
  {
    name: "an ES module that throws",
    files: { "app.mjs": "throw new TypeError('no database');" },
    handler: "app.handler",
  },
  {
    name: "an ES module that rejects",
    files: { "app.mjs": "await Promise.reject(new RangeError('too late'));" },
    handler: "app.handler",
  },
  {
    name: "an error thrown deep down",
    files: {
      "app.js":
        "const fall = (depth) => { if (depth === 0) throw new Error('deep'); fall(depth - 1); };\nfall(20);",
    },
    handler: "app.handler",
  },
  {
    name: "CommonJS that throws no error",
    files: { "app.js": "throw 'just text';" },
    handler: "app.handler",
  },
  {
    name: "a required package that is missing",
    files: { "app.js": "require('./lib.js');", "lib.js": "require('no-such-package');" },
    handler: "app.handler",
  },
  {
    name: "an imported package that is missing",
    files: { "app.mjs": "import 'no-such-package';" },
    handler: "app.handler",
  },
  {
    name: "an imported name that is missing",
    files: { "app.mjs": "import { missing } from './lib.mjs';", "lib.mjs": "export {};" },
    handler: "app.handler",
  },
  {
    name: "a syntax error in CommonJS",
    files: { "app.js": "exports.handler = async () => {;" },
    handler: "app.handler",
  },
  {
    name: "a syntax error in an ES module",
    files: { "app.mjs": "export const handler = async () => {;" },
    handler: "app.handler",
  },
  {
    name: "a syntax error in an imported ES module",
    files: { "app.mjs": "import './lib.mjs';", "lib.mjs": "const ;" },
    handler: "app.handler",
  },
  { name: "a missing module", files: {}, handler: "app.handler" },
  { name: "a missing module in a missing directory", files: {}, handler: "a/b/app.handler" },
  {
    name: "a missing export",
    files: { "app.mjs": "export const other = () => 1;" },
    handler: "app.handler",
  },
  {
    name: "a missing nested export",
    files: { "app.js": "exports.api = {};" },
    handler: "app.api.v1.get",
  },
  {
    name: "an export that is no function",
    files: { "app.mjs": "export const handler = 'text';" },
    handler: "app.handler",
  },
  { name: "a handler string without a dot", files: {}, handler: "app" },
  { name: "a handler string that climbs", files: {}, handler: "../app.handler" },
];
