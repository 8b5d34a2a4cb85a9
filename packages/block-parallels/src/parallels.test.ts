import { testFormat } from "@mimus/testkit";
import { parallels } from "./format.ts";

const counts = { operations: 300, cuts: 40, faults: 16, mutations: 150 };

testFormat(parallels, {
  counts,
  variants: { plain: {}, "64k clusters": { cluster_size: 65536 }, "odd clusters": { cluster_size: 1536 } },
});
