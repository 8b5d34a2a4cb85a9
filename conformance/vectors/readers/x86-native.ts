// x86 instructions single-stepped on silicon: a header with states and memory, then a line a case that says what changed.

import type { MemoryBytes, Reader, StepCase } from "../case.ts";
import { eachLine, hex, hexBytes, lines, littleEndian, parseObject } from "./text.ts";

interface State {
  readonly st: readonly string[];
  readonly ymm: readonly string[];
  readonly [register: string]: string | number | readonly string[];
}

interface Header {
  readonly mode: 32 | 64;
  readonly code: number;
  readonly base: number;
  readonly len: number;
  readonly memBase: number;
  readonly mem: string;
  readonly fill: string;
  readonly states: readonly State[];
}

interface Line {
  readonly c: string;
  readonly s: number;
  readonly b: string;
  readonly r?: Readonly<Record<string, string>>;
  readonly x?: number;
  readonly y?: Readonly<Record<string, string>>;
  readonly st?: Readonly<Record<string, string>>;
  readonly fsw?: number;
  readonly ftw?: number;
  readonly fcw?: number;
  readonly mxcsr?: number;
  readonly m?: readonly (readonly [number, string])[];
  readonly undef?: number;
  readonly fswMask?: number;
  readonly approx?: number;
}

const CONTROL = ["fsw", "ftw", "fcw", "mxcsr"] as const;

function value(name: string, raw: string | number): bigint {
  if (typeof raw === "number") return BigInt(raw);
  return /^(st|ymm)\d/.test(name) ? littleEndian(raw) : hex(raw);
}

function registersOf(state: State): Map<string, bigint> {
  const out = new Map<string, bigint>();
  for (const [name, raw] of Object.entries(state)) {
    if (typeof raw === "object") raw.forEach((text, n) => out.set(`${name}${n}`, littleEndian(text)));
    else out.set(name, value(name, raw));
  }
  return out;
}

export const x86Native: Reader = {
  name: "x86-native",
  sniff: (head) => /^\{"kind":"header","mode":(32|64),/.test(head),
  read(text) {
    const first = lines(text).next().value;
    const header = parseObject<Header>(first?.text ?? "", 1);
    const image = new Uint8Array(header.len).fill(Number.parseInt(header.fill, 16));
    image.set(hexBytes(header.mem), header.memBase - header.base);
    const ram: MemoryBytes = { address: header.base, bytes: image };
    const states = header.states.map(registersOf);
    const flags = header.mode === 64 ? "rflags" : "eflags";

    const make = (content: string, line: number): StepCase => {
      const test = parseObject<Line>(content, line);
      const registers = states[test.s];
      if (!registers) throw new RangeError(`there is no state ${test.s}; the header has ${states.length}`);
      const changed = new Map<string, bigint>();
      for (const [name, raw] of Object.entries(test.r ?? {})) changed.set(name, hex(raw));
      for (const [n, raw] of Object.entries(test.y ?? {})) changed.set(`ymm${n}`, littleEndian(raw));
      for (const [n, raw] of Object.entries(test.st ?? {})) changed.set(`st${n}`, littleEndian(raw));
      for (const name of CONTROL) if (test[name] !== undefined) changed.set(name, BigInt(test[name]));
      const ignored = new Map<string, bigint>();
      if (test.undef !== undefined) ignored.set(registers.has(flags) ? flags : "rflags", BigInt(test.undef));
      if (test.fswMask !== undefined) ignored.set("fsw", BigInt(~test.fswMask & 0xffff));
      return {
        kind: "step",
        line,
        class: test.c,
        text: test.b,
        registers,
        memory: [ram, { address: header.code, bytes: hexBytes(test.b) }],
        expected: {
          registers: changed,
          memory: (test.m ?? []).map(([address, bytes]) => ({ address, bytes: hexBytes(bytes) })),
          ...(test.x === undefined ? {} : { exception: test.x }),
        },
        ignored,
        ...(test.approx === undefined ? {} : { approximate: true }),
      };
    };
    return {
      format: "x86-native",
      target: header.mode === 64 ? "x86_64" : "i386",
      options: {},
      cases: { [Symbol.iterator]: () => eachLine(text, 2, make) },
    };
  },
};
