import { expect, test } from "vitest";
import { cpuProps } from "./props.ts";

test.each([
  ["family", "271", "must be 0 to 270"],
  ["model", "256", "must be 0 to 255"],
  ["stepping", "16", "must be 0 to 15"],
  ["phys-bits", "99", "must be 32 to 52, or 0"],
  ["phys-bits", "20", "must be 32 to 52, or 0"],
])("%s=%s is refused", (name, value, why) => {
  const parsed = cpuProps.safeParse({ [name]: value });
  expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([why]);
});

test("the largest of each are taken", () => {
  const {
    family,
    model,
    stepping,
    "phys-bits": bits,
  } = cpuProps.parse({
    ...{ family: "270", model: "255", stepping: "0xf", "phys-bits": "52" },
  });
  expect([family, model, stepping, bits]).toEqual([270, 255, 15, 52]);
});
