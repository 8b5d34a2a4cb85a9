import { createInsn, Decoder } from "@mimus/target-x86";
import type { Adapter } from "../case.ts";

/** Encodings through the decoder, with every instruction set on: their length, or that there is no such instruction. */
export const x86Decode: Pick<Adapter, "open"> = {
  async open() {
    const decoder = new Decoder();
    const insn = createInsn();
    return {
      run(test) {
        if (test.kind !== "decode") return { skipped: "not an encoding" };
        const result = decoder.decode((at) => test.bytes[at] ?? -1, test.mode, insn);
        const length = result === "ok" ? insn.length : undefined;
        if (length === test.length) return { equal: true };
        const got = length === undefined ? result : `${insn.encoding.name} of ${length} bytes`;
        return { differences: [`${got}, wanted ${test.length === undefined ? "none" : `${test.length} bytes`}`] };
      },
    };
  },
};
