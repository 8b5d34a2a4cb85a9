// TestFloat's text; see conformance/float.

import { parseTestfloat } from "../../float/testfloat.ts";
import { VectorError } from "../case.ts";
import type { FloatVector, Reader } from "../case.ts";

export const testfloat: Reader = {
  name: "testfloat",
  sniff: (head) => /^# (f\d+|extF80|u?i\d+)_\w+ r\w\w\s*$/.test(head.split("\n")[0] ?? ""),
  read(text) {
    let groups: ReturnType<typeof parseTestfloat>;
    try {
      groups = parseTestfloat(text);
    } catch (cause) {
      throw new VectorError("malformed", (cause as Error).message, { cause });
    }
    const cases = groups.flatMap(({ fn, mode, lines, cases: tests }) =>
      tests.map((test, i): FloatVector => ({ kind: "float", line: lines[i] ?? 0, class: fn, mode, ...test })),
    );
    // The file for x86 is the one with the x87's format.
    const target = groups.some(({ fn }) => fn.includes("extF80")) ? "float-x86" : "float-riscv";
    return { format: "testfloat", target, options: {}, cases };
  },
};
