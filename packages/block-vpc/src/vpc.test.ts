import { testFormat } from "@mimus/testkit";
import { vpc } from "./format.ts";

const counts = { operations: 300, cuts: 40, faults: 16, mutations: 150 };

testFormat(vpc, {
  counts,
  variants: { dynamic: { subformat: "dynamic" }, exact: { force_size: true } },
  size: 5 * 1024 * 1024 + 512,
});
