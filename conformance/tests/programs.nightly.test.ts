import { describe, expect, it } from "vitest";

import { guest, oracle } from "../lib/mimus.ts";
import { CASES } from "../programs/cases/index.ts";
import { compare } from "../programs/run.ts";

const sysroot = guest("riscv64-sysroot");

describe.skipIf(sysroot === undefined || !oracle("qemu-riscv64-static"))(
  "all of Debian's programs, as under QEMU",
  () => {
    for (const test of CASES)
      it(
        test.name,
        async () => {
          const { differences } = await compare(test, sysroot ?? "");
          expect(differences).toEqual([]);
        },
        4 * (test.timeout ?? 300_000),
      );
  },
);
