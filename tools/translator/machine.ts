/** A hart over flat memory whose translator is watched: what docs/translator.md shows comes from here. */
import { assemble, createTarget, EXTENSION_NAMES, Hart, OFF } from "../../packages/target-riscv/src/index.ts";
import type { Extensions, HartConfig } from "../../packages/target-riscv/src/index.ts";
import { TcgMachine } from "../../packages/tcg/src/index.ts";
import type { PhysicalBus, PhysicalRange, TcgOptions, Trace, Vcpu } from "../../packages/tcg/src/index.ts";

/** Node's types leave the interface to the DOM library. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE = 65536;
const RAM_SIZE = 4 * 1024 * 1024;
const M_MODE = 3;

/** One piece of RAM at address 0; nobody else writes it. */
class FlatBus implements PhysicalBus {
  readonly lastFault = true;
  readonly #range: PhysicalRange;
  constructor(ramOffset: number) {
    this.#range = { base: 0, size: RAM_SIZE, ramOffset, readonly: false };
  }
  lookup(address: number): PhysicalRange | undefined {
    return address < RAM_SIZE ? this.#range : undefined;
  }
  read(): number {
    return 0;
  }
  write(): void {}
  readWide(_address: number, out: Uint32Array): void {
    out.fill(0);
  }
  writeWide(): void {}
  watchCode(): void {}
  onCodeWrite(): void {}
  onChange(): void {}
}

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
  const pages = 1024;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  let next = WASM_PAGE;
  const alloc = (_name: string, bytes: number): number => {
    const at = next;
    next += Math.ceil(bytes / WASM_PAGE) * WASM_PAGE;
    return at;
  };
  const ram = alloc("ram", RAM_SIZE);
  const windows = alloc("windows", RAM_SIZE / 2048 + 2);
  new Uint8Array(memory.buffer, windows, RAM_SIZE / 2048).fill(1);
  const shown = { inAsm: [] as string[], op: [] as string[], opOpt: [] as string[], outWat: [] as string[] };
  const trace: Trace = {
    inAsm: (text) => void shown.inAsm.push(text),
    op: (text) => void shown.op.push(text),
    opOpt: (text) => void shown.opOpt.push(text),
    outWat: (text) => void shown.outWat.push(text),
  };
  const engine = new TcgMachine({
    memory,
    alloc,
    target: createTarget(config),
    physical: new FlatBus(ram),
    ...(direct
      ? {
          direct: { base: ram, size: RAM_SIZE, readable: windows, writable: windows, windowShift: Math.log2(RAM_SIZE) },
        }
      : {}),
    options: { tbSize: 1 << 20, ...tcg, trace },
  });
  let hart: Hart | undefined;
  const vcpu = engine.createCpu((env, e) => (hart = new Hart(e, env, 0, config)));
  if (hart === undefined) throw new Error("No hart was made");
  new Uint8Array(memory.buffer, ram + origin).set(assemble(source, { xlen: 64, origin: BigInt(origin) }).bytes);
  hart.reset();
  hart.set(OFF.pc, origin, 0);
  hart.setLo(OFF.mstatus, hart.lo(OFF.mstatus) | 0x6000);
  hart.setPriv(M_MODE);
  hart.stateReplaced();
  for (let slice = 0; slice < 1000; slice++) if (vcpu.run(1000) === "halted") return { shown, engine, vcpu, hart };
  throw new Error(`The program does not end: pc is 0x${vcpu.pc.toString(16)}`);
}
