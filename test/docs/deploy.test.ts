/** The deployment guide's text parses, is whole, and says of the function what Lambda must know. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseToObject } from "hcl2-parser";
import { describe, expect, test } from "vitest";
import { parse, type ScalarTag } from "yaml";
import { codeBlocks, GUIDE } from "../support/guide.ts";

const REFERENCE = /\baws_\w+\.\w+(?=\.)/g;
/** CloudFormation's short forms, as the long ones they stand for. */
const INTRINSICS: ScalarTag[] = [
  { tag: "!Ref", resolve: (name) => ({ Ref: name }) },
  { tag: "!GetAtt", resolve: (path) => ({ "Fn::GetAtt": path.split(".") }) },
];

test.each(codeBlocks("sh"))("the shell lines parse: %#", (code) => {
  const { status, stderr } = spawnSync("sh", ["-n"], { input: code, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("the AWS CLI creates a function of an image, and hands back failed records", () => {
  const commands = codeBlocks("sh").join("\n").replaceAll("\\\n", "").split("\n");
  const create = commands.find((line) => line.startsWith("aws lambda create-function "));
  expect(create).toMatch(/ --package-type Image .*--code ImageUri=\S+:1 .*--architectures x86_64 /);
  const mapping = commands.find((line) => line.includes("create-event-source-mapping"));
  expect(mapping).toContain("--function-response-types ReportBatchItemFailures");
});

describe("Terraform", () => {
  const [code] = codeBlocks("hcl");
  const [{ resource }] = parseToObject(code);

  test("has a function that is an image, and hands back failed records", () => {
    const [lambda] = resource.aws_lambda_function.orders;
    expect(lambda).toMatchObject({
      package_type: "Image",
      image_uri: expect.stringContaining("aws_ecr_repository.orders.repository_url"),
      architectures: ["x86_64"],
    });
    const [mapping] = resource.aws_lambda_event_source_mapping.orders;
    expect(mapping.function_response_types).toEqual(["ReportBatchItemFailures"]);
  });

  test("refers only to resources that it has", () => {
    const references = code.match(REFERENCE) ?? [];
    expect(references.length).toBeGreaterThan(4);
    for (const reference of references) {
      const [type = "", name = ""] = reference.split(".");
      expect(resource[type], reference).toHaveProperty(name);
    }
  });
});

describe("SAM", () => {
  const { Transform, Resources } = parse(codeBlocks("yaml")[0], { customTags: INTRINSICS });

  test("has a function that is an image, and hands back failed records", () => {
    expect(Transform).toBe("AWS::Serverless-2016-10-31");
    const { Type, Properties } = Resources.Orders;
    expect(Type).toBe("AWS::Serverless::Function");
    expect(Properties).toMatchObject({ PackageType: "Image", Architectures: ["x86_64"] });
    // What belongs to zip files is an error beside an image.
    for (const name of ["Handler", "Runtime", "Layers", "CodeUri"]) {
      expect(Properties).not.toHaveProperty(name);
    }
    const { Queue, FunctionResponseTypes } = Properties.Events.Queue.Properties;
    expect(FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
    expect(Queue).toEqual({ "Fn::GetAtt": ["Queue", "Arn"] });
    expect(Resources.Queue.Type).toBe("AWS::SQS::Queue");
    // Six times the function's own, as AWS advises.
    expect(Resources.Queue.Properties.VisibilityTimeout).toBe(6 * Properties.Timeout);
  });

  test("builds a Dockerfile that is there", () => {
    const { Dockerfile, DockerContext } = Resources.Orders.Metadata;
    expect(existsSync(join(DockerContext, Dockerfile))).toBe(true);
  });
});

test("the guide links to files that are there", () => {
  const guide = readFileSync(GUIDE, "utf8");
  const links = [...guide.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(join(dirname(GUIDE), link)), link).toBe(true);
});

test("the bake file parses, and names only stages that the Dockerfile has", () => {
  const [parsed] = parseToObject(readFileSync("docker/docker-bake.hcl", "utf8"));
  const dockerfile = readFileSync("docker/Dockerfile", "utf8");
  for (const name of ["nodejs", "files"]) {
    expect(parsed.target[name]).toMatchObject([{ target: name }]);
    expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${name}$`, "m"));
  }
});
