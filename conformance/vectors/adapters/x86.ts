import type { Adapter } from "../case.ts";
import { stepRunner } from "../compare.ts";
import { X86NativeSteps } from "./x86-native.ts";

/** x86 instructions through the execution engine. */
export const x86: Pick<Adapter, "open"> = {
  async open({ target }, { backend = "interp" } = {}) {
    return stepRunner(new X86NativeSteps(target === "x86_64", backend));
  },
};
