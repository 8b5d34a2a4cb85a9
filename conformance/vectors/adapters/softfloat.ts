import { SoftfloatRunner } from "../../float/softfloat.ts";
import type { Adapter } from "../case.ts";

/** Runs TestFloat's cases on the operations themselves, below any instruction set. */
export const softfloat: Pick<Adapter, "open"> = {
  async open({ target }) {
    const operations = new SoftfloatRunner(target === "float-x86" ? "x86" : "riscv");
    const text = (result: bigint, flags: number): string => `${result.toString(16)} flags ${flags}`;
    return {
      run(test) {
        if (test.kind !== "float") return { skipped: "not a floating-point operation" };
        if (!operations.has(test.class))
          return { skipped: `softfloat has no ${/extF80/.exec(test.class)?.[0] ?? test.class}` };
        const { ok, answer } = operations.holds(test.class, test.mode, test);
        if (ok) return { equal: true };
        const operands = test.operands.map((operand) => operand.toString(16)).join(" ");
        const got = text(answer.result, answer.flags);
        return { differences: [`${test.mode} ${operands}: ${got}, wanted ${text(test.result, test.flags)}`] };
      },
    };
  },
};
