import { testFormat } from "@mimus/testkit";
import { vdi } from "./index.ts";

testFormat(vdi, {
  variants: { dynamic: {}, static: { static: true } },
  counts: { operations: 200, cuts: 20, faults: 8, mutations: 50 },
});
