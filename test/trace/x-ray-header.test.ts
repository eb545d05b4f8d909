import { ROOT_CONTEXT } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { getXRayHeader, setXRayHeader } from "../../src/trace/x-ray-header.ts";

const host = globalThis as { awslambda?: unknown };

afterEach(() => delete host.awslambda);

function invokeStore(header: unknown): void {
  host.awslambda = { InvokeStore: { getXRayTraceId: () => header } };
}

describe("Lambda's trace header", () => {
  it("is the context's, else the InvokeStore's", () => {
    invokeStore("Root=store");
    const read = (xRayTraceId?: string) =>
      getXRayHeader(setXRayHeader(ROOT_CONTEXT, xRayTraceId === undefined ? {} : { xRayTraceId }));
    expect(read("Root=context")).toBe("Root=context");
    expect(read("")).toBe("Root=store");
    expect(read()).toBe("Root=store");
  });

  it.each([undefined, {}, { InvokeStore: {} }])(
    "is left to the environment without either: %o",
    (value) => {
      host.awslambda = value;
      expect(setXRayHeader(ROOT_CONTEXT, {})).toBe(ROOT_CONTEXT);
    },
  );

  it.each(["", undefined, 7, {}])("is no header of another shape: %o", (value) => {
    invokeStore(value);
    expect(setXRayHeader(ROOT_CONTEXT, {})).toBe(ROOT_CONTEXT);
    expect(setXRayHeader(ROOT_CONTEXT, { xRayTraceId: value as string })).toBe(ROOT_CONTEXT);
  });
});
