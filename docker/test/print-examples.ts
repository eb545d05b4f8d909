/** `npm run examples`: runs every example in its container and writes the trace into its README. */
import { readFileSync, writeFileSync } from "node:fs";
import { buildImageFiles } from "../../scripts/build-image.ts";
import { replaceSection } from "../../scripts/readme.ts";
import { renderTraces } from "../../src/dev/trace-tree.ts";
import { startEngine } from "./engine.ts";
import { EXAMPLES, runExample } from "./examples.ts";
import { buildImages } from "./global-setup.ts";

const engine = await startEngine();
try {
  await buildImageFiles();
  const { coldspan } = await buildImages(engine, 24);
  for (const example of EXAMPLES) {
    const { upstream, spans } = await runExample(engine, coldspan, example);
    const trace = renderTraces([...upstream, ...spans], { color: false }).trimEnd();
    console.log(`${example.name}\n\n${trace}\n`);
    const file = `examples/${example.name}/README.md`;
    const text = replaceSection(
      readFileSync(file, "utf8"),
      "trace",
      `\`\`\`text\n${trace}\n\`\`\``,
    );
    writeFileSync(file, text);
  }
} finally {
  await engine.stop();
}
