import { testFormat } from "@mimus/testkit";
import { qed } from "./index.ts";

testFormat(qed, {
  variants: { plain: {}, "small tables": { cluster_size: 4096, table_size: 2 } },
  size: (1 << 20) + 512,
  counts: { operations: 200, cuts: 20, faults: 8, mutations: 50 },
});
