import { testFormat } from "@mimus/testkit";
import { vdi } from "./index.ts";

testFormat(vdi, {
  variants: { dynamic: {}, static: { static: true } },
  counts: { operations: 300, cuts: 40, faults: 20, mutations: 100 },
});
