import { testFormat } from "@mimus/testkit";
import { vdi } from "./index.ts";

testFormat(vdi, {
  variants: { dynamic: {}, static: { static: true } },
  counts: { operations: 250, cuts: 30, faults: 12, mutations: 80 },
});
