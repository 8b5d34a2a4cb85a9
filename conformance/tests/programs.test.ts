import { describe, expect, it } from "vitest";

import { guest, oracle } from "../lib/mimus.ts";
import { CASES } from "../programs/cases/index.ts";
import { compare } from "../programs/run.ts";

const sysroot = guest("riscv64-sysroot");

describe.skipIf(sysroot === undefined || !oracle("qemu-riscv64-static"))("Debian's programs, as under QEMU", () => {
  for (const test of CASES.filter((c) => c.quick))
    it(
      test.name,
      async () => {
        const { differences } = await compare(test, sysroot ?? "");
        expect(differences).toEqual([]);
      },
      120_000,
    );
});
