import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import { measure } from "../../src/dev/terminal-text.ts";
import { renderTraces } from "../../src/dev/trace-tree.ts";
import { linkTo, sketch, sketchOrders } from "../support/received-spans.ts";

function draw(spans: readonly ReceivedSpan[], width = 100): string {
  return `\n${renderTraces(spans, { color: false, width })}`;
}

describe("the story of two messages", () => {
  it("is told in two blocks, the producer's first", () => {
    expect(draw(sketchOrders())).toMatchInlineSnapshot(`
      "
      trace 0af7651916cd43dd8448eb211c80319c  4 spans · 33.4 ms

        PRODUCER send orders         2.05 ms  shop
        ├─ CONSUMER process orders   7.31 ms  order-processor · m-1
        │  │ ⇠ link to process orders (trace 4bf92f35…)
        │  └─ CLIENT PutItem orders  5.00 ms
        └─ CONSUMER process orders    412 µs  order-processor · m-2
             ⇠ link to process orders (trace 4bf92f35…)
             ✖ TypeError: order 2 has no customer

      trace 4bf92f3577b34da6a3ce929d0e0e4736  3 spans · 222 ms

        SERVER order-processor      18.4 ms  cold start
        ├─ INTERNAL init             170 ms
        └─ CONSUMER process orders  16.0 ms  2 messages
             ⇠ link to send orders (trace 0af76519…)
             ⇠ link to span 00f067aa0ba902b7 (trace ffffffff…)
      "
    `);
  });

  it("does not depend on the order of arrival", () => {
    expect(draw(sketchOrders().toReversed())).toBe(draw(sketchOrders()));
  });

  it("fits a narrow terminal", () => {
    expect(draw(sketchOrders(), 60)).toMatchInlineSnapshot(`
      "
      trace 0af7651916cd43dd8448eb211c80319c  4 spans · 33.4 ms

        PRODUCER send orders         2.05 ms  shop
        ├─ CONSUMER process orders   7.31 ms  order-processor · m…
        │  │ ⇠ link to process orders (trace 4bf92f35…)
        │  └─ CLIENT PutItem orders  5.00 ms
        └─ CONSUMER process orders    412 µs  order-processor · m…
             ⇠ link to process orders (trace 4bf92f35…)
             ✖ TypeError: order 2 has no customer

      trace 4bf92f3577b34da6a3ce929d0e0e4736  3 spans · 222 ms

        SERVER order-processor      18.4 ms  cold start
        ├─ INTERNAL init             170 ms
        └─ CONSUMER process orders  16.0 ms  2 messages
             ⇠ link to send orders (trace 0af76519…)
             ⇠ link to span 00f067aa0ba902b7 (trace ffffffff…)
      "
    `);
  });

  it("is the same text in colour", () => {
    const colored = renderTraces(sketchOrders(), { color: true, width: 100 });
    expect(colored).not.toBe(stripVTControlCharacters(colored));
    expect(`\n${stripVTControlCharacters(colored)}`).toBe(draw(sketchOrders()));
    expect(colored).toContain("\u001b[31m✖ TypeError: order 2 has no customer\u001b[39m");
  });
});

describe("what is missing or odd", () => {
  it("shows nothing for no spans", () => {
    expect(renderTraces([], { color: false })).toBe("");
  });

  it("shows a parent that did not arrive, with its children", () => {
    const lost = "00f067aa0ba902b7";
    expect(
      draw([
        sketch({ spanId: "a", parentSpanId: lost, at: 1 }),
        sketch({ spanId: "b", parentSpanId: lost, at: 2 }),
        sketch({ spanId: "root", at: 0 }),
      ]),
    ).toMatchInlineSnapshot(`
      "
      trace 0af7651916cd43dd8448eb211c80319c  3 spans · 3.00 ms

        INTERNAL root                           1.00 ms  shop
        parent 00f067aa0ba902b7 did not arrive
        ├─ INTERNAL a                           1.00 ms  shop
        └─ INTERNAL b                           1.00 ms  shop
      "
    `);
  });

  it("shows every span of a circle and every span of one id", () => {
    expect(
      draw([
        sketch({ spanId: "a", parentSpanId: "b" }),
        sketch({ spanId: "b", parentSpanId: "a", at: 1 }),
        sketch({ spanId: "twin", name: "first twin", at: 2 }),
        sketch({ spanId: "twin", name: "second twin", at: 3 }),
        sketch({ spanId: "child", parentSpanId: "twin", at: 4 }),
      ]),
    ).toMatchInlineSnapshot(`
      "
      trace 0af7651916cd43dd8448eb211c80319c  5 spans · 5.00 ms

        INTERNAL a            1.00 ms  shop
        └─ INTERNAL b         1.00 ms
        INTERNAL first twin   1.00 ms  shop
        └─ INTERNAL child     1.00 ms
        INTERNAL second twin  1.00 ms  shop
      "
    `);
  });

  it("counts the links it does not show", () => {
    const links = Array.from({ length: 9998 }, (_, n) => linkTo("f".repeat(32), `span-${n}`));
    const lines = draw([sketch({ spanId: "batch", links, droppedLinksCount: 2 })]).split("\n");
    expect(lines.filter((line) => line.includes("⇠"))).toHaveLength(6);
    expect(lines.at(-2)).toBe("    ⇠ … and 9995 more links");
  });

  it("draws a chain of 5000 spans", () => {
    const chain = Array.from({ length: 5000 }, (_, n) =>
      sketch({ spanId: `${n}`, parentSpanId: n === 0 ? undefined : `${n - 1}` }),
    );
    const lines = draw(chain).split("\n");
    expect(lines.filter((line) => line.includes("INTERNAL"))).toHaveLength(5000);
    expect(Math.max(...lines.map(measure))).toBeLessThan(100);
  });

  it.each([
    [0.0005, "500 ns"],
    [0.0999, "99.9 µs"],
    [9.996, "10.0 ms"],
    [999.9, "999 ms"],
    [1000, "1.00 s"],
    [754_000, "12m 34s"],
    [-1, "?"],
  ])("writes a duration of %d ms as %s", (took, text) => {
    expect(draw([sketch({ spanId: "a", took })])).toMatch(
      new RegExp(` ${text.replace("?", "\\?")} `),
    );
  });
});

describe("hostile text", () => {
  it("cannot steer the terminal", () => {
    expect(
      draw([
        sketch({
          spanId: "a",
          name: `\u001b[2J\u001b]0;owned\u0007\r\nrm \u009b31m\u007f`,
          service: "x\ty",
        }),
        sketch({
          spanId: "b",
          parentSpanId: "a",
          name: "gpj.exe\u202eabc\u200b\ufeff\ud800",
          status: { code: "ERROR", message: "line 1\nline 2" },
        }),
      ]),
    ).toMatchInlineSnapshot(`
      "
      trace 0af7651916cd43dd8448eb211c80319c  2 spans · 1.00 ms

        INTERNAL ␛[2J␛]0;owned␇␍␊rm �31m�  1.00 ms  x␉y
        └─ INTERNAL gpj.exe�abc���         1.00 ms  shop
             ✖ line 1␊line 2
      "
    `);
  });

  it("in a right-to-left script stays on its place", () => {
    expect(draw([sketch({ spanId: "a", name: "הזמנה 12" })])).toContain(
      "INTERNAL \u2068הזמנה 12\u2069  ",
    );
  });

  it.each([
    ["long", "x".repeat(100_000)],
    ["wide", "注文処理".repeat(100)],
    ["piled up", `a${"\u0301".repeat(10_000)}`],
    ["emoji", "🧨".repeat(200)],
    ["escapes", "\u001b".repeat(500)],
  ])("that is %s never makes a line too long", (_, name) => {
    const message = { code: "ERROR", message: name } as const;
    const spans = [
      sketch({ spanId: "a", name, service: name }),
      sketch({ spanId: "b", parentSpanId: "a", name, status: message, links: [linkTo("f", "a")] }),
    ];
    for (const width of [60, 80, 200]) {
      for (const line of draw(spans, width).split("\n")) {
        expect(measure(line)).toBeLessThanOrEqual(width);
        expect(line.length).toBeLessThanOrEqual(width * 3);
      }
    }
  });
});
