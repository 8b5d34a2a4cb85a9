// Our own JSON lines for any target; README.md beside this directory describes them.

import { VectorError } from "../case.ts";
import type { MemoryBytes, Reader, StepCase } from "../case.ts";
import { eachLine, hex, hexBytes, lines, parseObject } from "./text.ts";

/** First line of the file. Numbers are hexadecimal text unless said otherwise. */
export interface StepsHeader {
  readonly kind: "mimus-steps";
  readonly version: 1;
  readonly target: string;
  /** Settings of the machine, for its adapter. */
  readonly options?: Readonly<Record<string, string>>;
  readonly oracle: string;
  /** Where the bytes of the instruction go. */
  readonly code: string;
  readonly memory: readonly (readonly [string, string])[];
  readonly states: readonly Readonly<Record<string, string>>[];
}

/** Further lines. */
export interface StepsLine {
  /** Class. */
  readonly c: string;
  /** Index of the state before. */
  readonly s: number;
  /** Registers that differ from that state. */
  readonly r?: Readonly<Record<string, string>>;
  /** Bytes of the instruction. */
  readonly b: string;
  /** What changed. */
  readonly to: {
    readonly r?: Readonly<Record<string, string>>;
    readonly m?: readonly (readonly [string, string])[];
    /** Exception number, decimal. */
    readonly x?: number;
  };
}

const memoryOf = (list: StepsHeader["memory"]): MemoryBytes[] =>
  list.map(([address, bytes]) => ({ address: Number(hex(address)), bytes: hexBytes(bytes) }));

const registersOf = (values: Readonly<Record<string, string>>): [string, bigint][] =>
  Object.entries(values).map(([name, text]) => [name, hex(text)]);

export const steps: Reader = {
  name: "mimus-steps",
  sniff: (head) => head.startsWith('{"kind":"mimus-steps"'),
  read(text) {
    const header = parseObject<StepsHeader>(lines(text).next().value?.text ?? "", 1);
    if (header.version !== 1) {
      throw new VectorError("malformed", `line 1: version ${String(header.version)}; this reader knows version 1`);
    }
    const shared = memoryOf(header.memory);
    const states = header.states.map(registersOf);
    const make = (content: string, line: number): StepCase => {
      const test = parseObject<StepsLine>(content, line);
      const state = states[test.s];
      if (!state) throw new RangeError(`there is no state ${test.s}; the header has ${states.length}`);
      return {
        kind: "step",
        line,
        class: test.c,
        text: test.b,
        registers: new Map([...state, ...registersOf(test.r ?? {})]),
        memory: [...shared, { address: Number(hex(header.code)), bytes: hexBytes(test.b) }],
        expected: {
          registers: new Map(registersOf(test.to.r ?? {})),
          memory: memoryOf(test.to.m ?? []),
          ...(test.to.x === undefined ? {} : { exception: test.to.x }),
        },
        ignored: new Map(),
      };
    };
    return {
      format: steps.name,
      target: header.target,
      options: header.options ?? {},
      cases: { [Symbol.iterator]: () => eachLine(text, 2, make) },
    };
  },
};
