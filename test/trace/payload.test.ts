import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPayloadWriter } from "../../src/trace/payload.ts";
import { anyEvent, deep } from "../support/hostile-events.ts";

const SECRET = "hunter2-is-no-password";
const write = createPayloadWriter({ redactKeys: ["ssn", "card.number"] });

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a payload", () => {
  it.each<[unknown, string]>([
    [{ id: 1, lines: ["a", null, true] }, '{"id":1,"lines":["a",null,true]}'],
    [{ body: '{"id":1,"tags":["x"]}' }, '{"body":{"id":1,"tags":["x"]}}'],
    [
      { body: base64('{"id":"é"}'), isBase64Encoded: true },
      '{"body":{"id":"é"},"isBase64Encoded":true}',
    ],
    ['"quoted" text', '"\\"quoted\\" text"'],
    ["[INFO] started", '"[INFO] started"'],
    ["/sessions/7?page=2", '"/sessions/7?page=2"'],
    ["0af7651916cd43dd8448eb211c80319c", '"0af7651916cd43dd8448eb211c80319c"'],
    [new Uint8Array(3), '"[3 bytes]"'],
    [undefined, "undefined"],
    [7n, "7"],
  ])("of %o is %s", (value, text) => {
    expect(write(value)).toBe(text);
  });

  it.each<[unknown, string]>([
    [{ password: SECRET }, '{"password":"[redacted]"}'],
    [{ "X-Api-Key": [SECRET], apikey: 1 }, '{"X-Api-Key":"[redacted]","apikey":"[redacted]"}'],
    [{ SSN: SECRET, "card.number": 4 }, '{"SSN":"[redacted]","card.number":"[redacted]"}'],
    [{ cardxnumber: 4 }, '{"cardxnumber":4}'],
    [{ a: [{ Cookie: { b: SECRET } }] }, '{"a":[{"Cookie":"[redacted]"}]}'],
    [`a=1&access_token=${SECRET}&b=2`, '"a=1&access_token=[redacted]&b=2"'],
    [
      `https://host/x?redirect=/y?token=${SECRET}?z`,
      '"https://host/x?redirect=/y?token=[redacted]"',
    ],
    [`theme=dark; sessionid=${SECRET}; lang=en`, '"theme=dark; sessionid=[redacted]; lang=en"'],
    [base64(`user=ada&password=${SECRET}`), '"user=ada&password=[redacted]"'],
    [{ name: "db_password", value: SECRET }, '{"name":"db_password","value":"[redacted]"}'],
    [[{ Key: "ssn", Values: [SECRET] }], '[{"Key":"ssn","Values":"[redacted]"}]'],
  ])("of %j is %s", (value, text) => {
    expect(write(value)).toBe(text);
  });

  it.each([
    `{"password":"${SECRET}"`,
    `[INFO] token: ${SECRET}`,
    `user={"password":"${SECRET}"}`,
    `<password>${SECRET}</password>`,
    `password = ${SECRET}`,
    `password="${SECRET} and more"`,
    `form-data; name="password"\r\n\r\n${SECRET}`,
    `filter=%7B%22password%22%3A%22${SECRET}%22%7D`,
    `{\\"password\\":\\"${SECRET}\\"}`,
  ])("leaves a text out that names a secret in another notation: %s", (text) => {
    expect(write({ text })).toBe(`{"text":"[${text.length} characters]"}`);
  });

  it("leaves base64 out that is too long to tell what it is", () => {
    const gzip = Buffer.alloc(600, 0x9f).toString("base64");
    const json = base64(JSON.stringify({ fill: "x".repeat(70_000), password: SECRET }));
    expect(write([gzip, json])).toBe(
      `["[${gzip.length} characters]","[${json.length} characters]"]`,
    );
  });

  it("is cut at its length, and never before a secret is taken out", () => {
    const value = { password: SECRET, text: "x".repeat(5_000_000), after: SECRET };
    for (let maxLength = 1; maxLength < 60; maxLength++) {
      const text = createPayloadWriter({ maxLength })(value);
      expect(text).toHaveLength(maxLength + 1);
      expect(text.endsWith("…")).toBe(true);
      expect(text).not.toContain("hunter");
    }
  });

  it("reads no more of an event than it may keep", () => {
    let reads = 0;
    const record = {
      get body() {
        reads++;
        return "0123456789";
      },
    };
    createPayloadWriter({ maxLength: 200 })({
      Records: Array.from({ length: 10_000 }, () => record),
    });
    expect(reads).toBeLessThan(20);
  });

  it("of a value that cannot be read says so", () => {
    const closed = Object.defineProperty({}, "id", {
      enumerable: true,
      get() {
        throw new Error("closed");
      },
    });
    expect(write([1, closed])).toBe('[1,{"id":[unreadable]');
  });

  it("of any event ends and keeps its length", () => {
    fc.assert(
      fc.property(
        fc.oneof(anyEvent, fc.constant(deep(5_000))),
        fc.integer({ min: 1, max: 5_000 }),
        (event, maxLength) => {
          expect(createPayloadWriter({ maxLength })(event).length).toBeLessThanOrEqual(
            maxLength + 1,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** What surrounds a secret on its way, innermost first. */
const WRAPPINGS: Readonly<Record<string, (inner: unknown) => unknown>> = {
  object: (inner) => ({ id: 7, inner }),
  list: (inner) => ["first", inner],
  JSON: (inner) => JSON.stringify(inner),
  "JSON with blanks": (inner) => `\n ${JSON.stringify(inner, null, 2)}`,
  base64: (inner) => base64(typeof inner === "string" ? inner : JSON.stringify(inner)),
};

const NAMES = ["password", "Authorization", "x-api-key", "clientSecret", "SSN"];

const SECRETS: readonly ((name: string) => unknown)[] = [
  (name) => ({ [name]: SECRET }),
  (name) => ({ [name]: { deeper: [SECRET] } }),
  (name) => ({ name, value: SECRET }),
  (name) => `a=b&${name}=${SECRET}&c=d`,
  (name) => `https://example.com/path?${name}=${SECRET}`,
  (name) => `${name}: ${SECRET}`,
];

describe("a secret", () => {
  it("is in no payload, however it is wrapped, and wherever that is cut", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SECRETS),
        fc.constantFrom(...NAMES),
        fc.array(fc.constantFrom(...Object.keys(WRAPPINGS)), { maxLength: 6 }),
        fc.integer({ min: 1, max: 3_000 }),
        (plant, name, wrappings, maxLength) => {
          let event = plant(name);
          for (const wrapping of wrappings) event = WRAPPINGS[wrapping]?.(event);
          const text = createPayloadWriter({ maxLength, redactKeys: ["ssn"] })({ event });
          expect(text).not.toContain("hunter2");
          // Nor as base64, at any of its three offsets.
          for (const offset of [0, 1, 2]) {
            const encoded = base64("-".repeat(offset) + SECRET).slice(4, -4);
            expect(text).not.toContain(encoded);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("is looked for in time that grows with the text, not with its square", () => {
    const maxLength = 300_000;
    const redact = createPayloadWriter({ maxLength });
    // By a pattern that backtracks each of these takes hours.
    for (const unit of ["token", "x", "=", "token=", "a&", "token ", "password-"]) {
      const text = unit.repeat(maxLength / unit.length);
      expect(redact(text).length).toBeGreaterThan(0);
    }
  });
});
