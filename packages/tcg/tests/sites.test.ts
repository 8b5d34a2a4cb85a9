/** Which instruction a fault belongs to: the `insn` before it in the text, however control came there. */
import { parseAll, verify } from "@mimus/tcg";
import { expect, test } from "vitest";
import { FuzzMachine } from "./fuzz-machine.ts";
import { CONTEXT } from "./random-block.ts";

/** The fault, behind label L0: the fourth page of data is not mapped. */
const FAULT = "%a = const.i64 0x23000\n %v = ld.i64.u64 %a, 0\n set.i64 x1, %v\n goto_ptr none";
const LEAVE = "set.i64 pc, %x\n goto_ptr none";

const texts: Record<string, string> = {
  "a label reached from two instructions": `
    insn 0 0\n %x = get.i64 x1\n %y = get.i64 x2\n brcond.ltu.i64 %x, %y, L0
    insn 1 4\n brcond.geu.i64 %x, %y, L0
    insn 2 8\n ${LEAVE}\n L0:\n ${FAULT}`,
  "an instruction that is not reached before the label": `
    insn 0 0\n %x = get.i64 x1\n br L0
    L1:\n insn 1 4\n ${LEAVE}
    L0:\n ${FAULT}`,
  "an access that is not reached before the label": `
    insn 0 0\n %x = get.i64 x1\n br L0
    L1:\n insn 1 4\n %b = ld.i64.u64 %x, 0\n insn 2 8\n set.i64 x2, %b\n ${LEAVE}
    L0:\n ${FAULT}`,
  "the label in an instruction of its own": `
    insn 0 0\n %x = get.i64 x1\n %y = get.i64 x2\n brcond.ltu.i64 %x, %y, L0
    insn 1 4\n br L0
    L1:\n insn 2 8\n ${LEAVE}
    L0:\n insn 3 12\n ${FAULT}`,
};

for (const backend of ["interp", "wasm"] as const) {
  for (const optimise of [true, false]) {
    const machine = new FuzzMachine(backend, optimise);
    test.each(Object.entries(texts))(`${backend}, ${optimise ? "optimised" : "as it is"}: %s`, (_, text) => {
      const block = parseAll(`func @sites(pc 0x80000000) {\n${text.replaceAll(/\n\s*/g, "\n")}\n}`, CONTEXT)[0]!;
      verify(block);
      for (let seed = 0; seed < 8; seed++) expect(machine.differenceOf(block, seed)).toBeUndefined();
    });
  }
}
