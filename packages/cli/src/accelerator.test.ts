import { expect, test } from "vitest";

import { accelerator } from "./accelerator.ts";
import { parseArguments } from "./args/parse.ts";
import { machineConfig } from "./config.ts";

const chosen = (...argv: string[]): string => {
  const { accel } = machineConfig(parseArguments(argv));
  return accelerator(accel, false).name;
};

test("-machine accel= names what is tried in turn, and is no property of the board", () => {
  expect(chosen("-machine", "none,accel=kvm:tcg")).toBe("tcg");
  expect(chosen("-M", "pc,accel=tcg")).toBe("tcg");
  expect(chosen("-machine", "pc", "-accel", "qtest")).toBe("qtest");
  expect(chosen()).toBe("tcg");
  expect(machineConfig(parseArguments(["-machine", "pc,accel=tcg"])).machine).toEqual({ type: "pc" });
});

test("an accelerator that is not there, or two places that name one", () => {
  expect(() => chosen("-machine", "pc,accel=kvm")).toThrow("-accel kvm: no such accelerator; there are: tcg, qtest");
  expect(() => chosen("-machine", "pc,accel=tcg", "-accel", "tcg")).toThrow("use one of the two");
});
