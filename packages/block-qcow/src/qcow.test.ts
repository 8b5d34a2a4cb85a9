import { testFormat } from "@mimus/testkit";
import { qcow } from "./format.ts";

const counts = { operations: 300, cuts: 40, faults: 16, mutations: 150 };

testFormat(qcow, {
  counts,
  size: (1 << 20) + 512,
});
testFormat(qcow, {
  counts,
  variants: { encrypted: { "encrypt.format": "aes", "encrypt.key-secret": "s" } },
  open: { encrypt: { "key-secret": "s" } },
  size: (1 << 18) + 512,
});
