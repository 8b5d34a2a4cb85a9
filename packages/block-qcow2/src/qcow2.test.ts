import { testFormat } from "@mimus/testkit";
import { qcow2 } from "./qcow2.ts";

testFormat(qcow2, {
  variants: {
    plain: {},
    "version 2, 512-byte clusters": { compat: "0.10", cluster_size: 512 },
    "extended L2 entries": { extended_l2: true, cluster_size: 16384 },
    "lazy refcounts of 8 bits": { lazy_refcounts: true, refcount_bits: 8, cluster_size: 4096 },
  },
  counts: { operations: 200, cuts: 20, faults: 12, mutations: 60 },
});
