import { testFormat } from "@mimus/testkit";
import { vmdk } from "./index.ts";

const counts = { operations: 150, cuts: 15, faults: 8, mutations: 40 };

testFormat(vmdk, {
  variants: {
    monolithicSparse: {},
    "zeroed grains": { zeroed_grain: true },
    twoGbMaxExtentSparse: { subformat: "twoGbMaxExtentSparse" },
    streamOptimized: { subformat: "streamOptimized" },
  },
  size: (1 << 20) + 512,
  counts,
});
testFormat(vmdk, {
  variants: {
    monolithicFlat: { subformat: "monolithicFlat" },
    twoGbMaxExtentFlat: { subformat: "twoGbMaxExtentFlat" },
  },
  size: (1 << 18) + 512,
  counts,
});
