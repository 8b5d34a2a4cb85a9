/** A hart over flat memory whose translator is watched: what docs/translator.md shows comes from here. */
import { assemble, createTarget, EXTENSION_NAMES, Hart, OFF } from "../../packages/target-riscv/src/index.ts";
import type { Extensions, HartConfig } from "../../packages/target-riscv/src/index.ts";
import { TcgMachine } from "../../packages/tcg/src/index.ts";
import type { TcgOptions, Trace, Vcpu } from "../../packages/tcg/src/index.ts";
import { FlatMemory } from "../../packages/testkit/src/flat-memory.ts";

const RAM_SIZE = 4 * 1024 * 1024;
const M_MODE = 3;

const ON = new Set(["m", "a", "f", "d", "c", "zicsr", "zifencei"]);

const config: HartConfig = {
  xlen: 64,
  hartid: 0,
  ext: Object.fromEntries(EXTENSION_NAMES.map((name) => [name, ON.has(name)])) as unknown as Extensions,
  paging: "none",
  pmp: false,
  debug: false,
  pmuCounters: 0,
  priv: 12,
  mvendorid: 0,
  marchid: [0, 0],
  mimpid: [0, 0],
  resetVector: [0, 0],
  cbomBlock: 64,
  cbozBlock: 64,
};

/** What was shown while a program ran, by hook. */
type Shown = Readonly<Record<"inAsm" | "op" | "opOpt" | "outWat", readonly string[]>>;

/** A program that has run. */
export interface Ran {
  readonly shown: Shown;
  readonly engine: TcgMachine;
  readonly vcpu: Vcpu;
  readonly hart: Hart;
}

/** How to run: `direct` as user mode does, without a TLB in regions. */
export interface RunOptions {
  readonly direct?: boolean;
  readonly tcg?: TcgOptions;
}

/** Assembles RV64 code at `origin`, runs it until it waits for an interrupt, and gives what the translator showed. */
export function watch(source: string, origin: number, { direct = false, tcg = {} }: RunOptions = {}): Ran {
  const memory = new FlatMemory(64 << 20);
  const ram = memory.addRam(0, RAM_SIZE);
  const windows = memory.alloc("windows", RAM_SIZE / 2048 + 2);
  new Uint8Array(memory.memory.buffer, windows, RAM_SIZE / 2048).fill(1);
  const shown = { inAsm: [] as string[], op: [] as string[], opOpt: [] as string[], outWat: [] as string[] };
  const trace: Trace = {
    inAsm: (text) => void shown.inAsm.push(text),
    op: (text) => void shown.op.push(text),
    opOpt: (text) => void shown.opOpt.push(text),
    outWat: (text) => void shown.outWat.push(text),
  };
  const engine = new TcgMachine({
    memory: memory.memory,
    alloc: memory.alloc,
    target: createTarget(config),
    physical: memory,
    ...(direct
      ? {
          direct: {
            base: ram.byteOffset,
            size: RAM_SIZE,
            readable: windows,
            writable: windows,
            windowShift: Math.log2(RAM_SIZE),
          },
        }
      : {}),
    options: { tbSize: 1 << 20, ...tcg, trace },
  });
  let hart: Hart | undefined;
  const vcpu = engine.createCpu((env, e) => (hart = new Hart(e, env, 0, config)));
  if (hart === undefined) throw new Error("No hart was made");
  ram.set(assemble(source, { xlen: 64, origin: BigInt(origin) }).bytes, origin);
  hart.reset();
  hart.set(OFF.pc, origin, 0);
  hart.setLo(OFF.mstatus, hart.lo(OFF.mstatus) | 0x6000);
  hart.setPriv(M_MODE);
  hart.stateReplaced();
  for (let slice = 0; slice < 1000; slice++) if (vcpu.run(1000) === "halted") return { shown, engine, vcpu, hart };
  throw new Error(`The program does not end: pc is 0x${vcpu.pc.toString(16)}`);
}
