import { testFormat } from "@mimus/testkit";
import { vhdx } from "./format.ts";

const counts = { operations: 300, cuts: 40, faults: 16, mutations: 150 };

testFormat(vhdx, {
  counts,
  variants: { dynamic: { block_size: 1 << 20 }, fixed: { subformat: "fixed", block_size: 1 << 20 } },
});
