import { expect, it } from "vitest";
import { renderTracePage } from "../../src/dev/trace-page.ts";
import { sketch, sketchOrders } from "../support/received-spans.ts";

it("shows every span of the story, the producer's trace first", () => {
  const page = renderTracePage(sketchOrders(), "orders");
  const order = [...page.matchAll(/<bdi>(.*?)<\/bdi>/g)].map(([, name]) => name);
  expect(order).toEqual([
    "send orders",
    "process orders",
    "PutItem orders",
    "process orders",
    "order-processor",
    "init",
    "process orders",
  ]);
  expect(page).toContain("<dt>error</dt><dd>TypeError: order 2 has no customer</dd>");
  expect(page).toContain("<dt>link</dt><dd>link to send orders (trace 0af76519…)</dd>");
});

it("places each bar within its own trace", () => {
  const page = renderTracePage(
    [sketch({ spanId: "a", at: 0, took: 10 }), sketch({ spanId: "b", at: 2.5, took: 5 })],
    "bars",
  );
  expect([...page.matchAll(/style="(left[^"]*)"/g)].map(([, style]) => style)).toEqual([
    "left:0.000%;width:100.000%",
    "left:25.000%;width:50.000%",
  ]);
});

it("loads nothing and holds no script", () => {
  const page = renderTracePage(sketchOrders(), "orders");
  expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import|https?:/i);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
});

it("lets no foreign text become markup", () => {
  const evil = `</title></style><script>alert(1)</script>"'><img src=x onerror=alert(1)>\u202e`;
  const page = renderTracePage(
    [
      sketch({
        spanId: evil,
        parentSpanId: evil.toUpperCase(),
        name: evil,
        service: evil,
        attributes: {
          [evil]: evil,
          long: "x".repeat(5000),
          list: [evil],
          bytes: new Uint8Array([1]),
          big: 2n ** 60n,
        },
        status: { code: "ERROR", message: evil },
        events: [
          { name: evil, timeUnixNano: 0n, attributes: { [evil]: evil }, droppedAttributesCount: 0 },
        ],
      }),
    ],
    evil,
  );
  expect(page.match(/<script|<img|\u202e/gi)).toBeNull();
  const attributes = [...page.matchAll(/<[a-z0-9]+((?:\s[^<>]*)?)>/g)].map(([, own]) => own);
  expect(attributes.join()).not.toContain("onerror");
  expect(page).toContain("x".repeat(5000));
  expect(page.match(/onerror/g)?.length).toBeGreaterThan(5);
});

it("says so when nothing arrived", () => {
  expect(renderTracePage([], "empty")).toContain("No spans arrived.");
});
