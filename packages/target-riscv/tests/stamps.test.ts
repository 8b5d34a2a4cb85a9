import { encode, type Entry } from "@mimus/decodetree";
import { TcgMachine, type Tb, type Trace } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";
import { expect, test } from "vitest";
import { Hart } from "../src/hart.ts";
import { isaParts } from "../src/isa.ts";
import { hartConfig, MODELS } from "../src/models.ts";
import { commonProps, extensionProps } from "../src/props.ts";
import { FLAGS, type Xlen } from "../src/state.ts";
import { createTarget } from "../src/target.ts";

/** Translates instructions, and gives their descriptors and bytecode. With a trace of its IR, every instruction has IR. */
class Translations {
  readonly #machine: TcgMachine;
  readonly #cpu;

  constructor(xlen: Xlen, trace: Trace) {
    const memory = new FlatMemory(32 << 20);
    const model = MODELS.find(({ name }) => name === `rv${xlen}`)!;
    const config = { ...hartConfig(model, commonProps.extend(extensionProps.shape).parse({}), 0), inlineTraps: true };
    this.#machine = new TcgMachine({
      memory: memory.memory, alloc: memory.alloc, target: createTarget(config), physical: memory,
      options: { backend: "auto", tbSize: 16 << 20, trace },
    }); // prettier-ignore
    this.#cpu = this.#machine.createCpu((env, engine) => new Hart(engine, env, 0, config));
  }

  translate(code: Uint8Array, pcLo: number, pcHi: number, flags: number, limit: number): { tb: Tb; words: number[] } {
    const source = { byte: (at: number) => code[at] ?? 0, ram2: -1 };
    const tb = this.#machine.translate(this.#cpu, { pcLo, pcHi, flags, limit, ram: -1 }, source)!;
    const end = this.#machine.trampoline + this.#machine.stats().arenaBytes;
    return { tb, words: [...this.#machine.i32.subarray(tb.address >> 2, end >> 2)] };
  }

  get irOps(): number {
    return this.#machine.stats().irOps;
  }
}

let seed = 1;
const random = (n: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % n;
};

/** An encoding with random operands: often with registers that are special, or the same; immediates large, small or none. */
function randomWord(entry: Entry): number {
  const common = random(32);
  for (;;) {
    const operands: Record<string, number> = {};
    for (const [name, field] of entry.fields) {
      const step = 2 ** field.shift;
      const choices = [
        field.min,
        field.max,
        0,
        1,
        5,
        common,
        step,
        -step,
        field.bias + random(2 ** field.width) * step,
      ];
      operands[name] = choices[random(choices.length)]!;
    }
    // Some instructions on bits use such constants themselves, which then share a slot.
    const shares = entry.fields.some(([name, { kind }]) => kind === "shamt" && [1, 31].includes(operands[name]!));
    if (!shares && entry.fields.every(([name, field]) => field.accepts(operands[name]!)))
      return encode(entry, operands);
  }
}

function bytesOf(words: readonly { readonly word: number; readonly width: number }[]): Uint8Array {
  return Uint8Array.from(
    words.flatMap(({ word, width }) => Array.from({ length: width / 8 }, (_, i) => (word >>> (8 * i)) & 255)),
  );
}

const seen = ({ exits, insns, length }: Tb): object => ({
  insns, length, exits: exits.map(({ kind, target }) => ({ kind, target })),
}); // prettier-ignore

test.each([32, 64] as const)("an rv%d instruction has the bytecode that its own IR would have", (xlen) => {
  const stamped = new Translations(xlen, {});
  const plain = new Translations(xlen, { op: () => {} });
  // A jump behind a constant of 32 bits sets that, too, where both have IR.
  const constants = xlen === 32 ? ["lui", "auipc", "addi", "c_lui", "c_li"] : [];
  const entries = isaParts(xlen).flatMap((part) => part.entries);
  for (const entry of entries.filter(({ name }) => !constants.includes(name)))
    for (let n = 0; n < 40; n++) {
      const code = bytesOf([{ word: randomWord(entry), width: entry.width }]);
      const pcLo =
        (random(0x10000) << 16) | (n % 3 === 0 ? (random(16) << 12) | (0xffc + (n & 2)) : random(0x8000) * 2);
      const pcHi = xlen === 64 ? [0, -1, 0x1234, -0x8000][random(4)]! : 0;
      const flags = (random(4) << FLAGS.mmuShift) | (random(4) << FLAGS.fsShift) | [0, 1, 3][random(3)]!;
      const a = stamped.translate(code, pcLo, pcHi, flags, 1);
      const b = plain.translate(code, pcLo, pcHi, flags, 1);
      expect({ ...a, tb: seen(a.tb) }, `${entry.name} ${[...code].join(" ")}`).toEqual({ ...b, tb: seen(b.tb) });
    }
  // What was stamped had no operations; those of instructions on floating-point numbers are many.
  expect(stamped.irOps).toBeLessThan(plain.irOps * 0.9);
});

test("blocks of instructions with and without stamps have their instructions' offsets, and lead to the same", () => {
  const stamped = new Translations(64, {});
  const plain = new Translations(64, { op: () => {} });
  const entries = isaParts(64).flatMap((part) => part.entries);
  for (let n = 0; n < 300; n++) {
    const words = Array.from({ length: 20 }, () => entries[random(entries.length)]!);
    const code = bytesOf(words.map((entry) => ({ word: randomWord(entry), width: entry.width })));
    const [a, b] = [stamped, plain].map((it) => it.translate(code, 0x8020_0000 | 0, -1, 1 << FLAGS.mmuShift, 0));
    expect(seen(a!.tb)).toEqual(seen(b!.tb));
    const offsets = 12 + a!.tb.insns;
    expect(a!.words.slice(12, offsets)).toEqual(b!.words.slice(12, offsets));
  }
});
