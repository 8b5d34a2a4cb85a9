import type { Adapter } from "../case.ts";
import { stepRunner } from "../compare.ts";
import { X86NativeSteps } from "./x86-native.ts";
import { X86RealRuns } from "./x86-real.ts";

/** x86 instructions through the execution engine. */
export const x86: Pick<Adapter, "open"> = {
  async open({ target }, { backend = "interp" } = {}) {
    if (target === "i286") return stepRunner(new X86RealRuns(backend));
    return stepRunner(new X86NativeSteps(target === "x86_64", backend));
  },
};
