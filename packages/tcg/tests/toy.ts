/**
 * A toy instruction set for tests of the engine: 16 registers of 64 bits, instructions of 32 bits
 * (operation << 24 | d << 20 | a << 16 | signed immediate, whose low bits may name register b).
 */
import { ENV, LOAD, STORE, TcgMachine } from "../src/index.ts";
import type {
  Access, Engine, EnvField, Helper, PhysicalBus, PhysicalRange, Target, TargetCpu, TcgOptions, TranslateContext,
  Translation, Value, Vcpu,
} from "../src/index.ts"; // prettier-ignore

export const OP = {
  addi: 0, add: 1, ld: 2, st: 3, ldb: 4, stb: 5, ldw: 6, bne: 7, jmp: 8, jr: 9, halt: 10, sys: 11, eret: 12, lui: 13,
  amoadd: 14, mul: 15, twice: 16, brk: 17, mask: 18, slt: 19, sth: 20, blt: 21, cas: 22, xor: 23, call: 24, callr: 25,
  ret: 26, fence: 27, and1: 28, pause: 29, slw: 30, copy: 31,
} as const; // prettier-ignore

/** Encodes an instruction. */
export function asm(op: keyof typeof OP, d = 0, a = 0, imm = 0): number {
  return ((OP[op] << 24) | (d << 20) | (a << 16) | (imm & 0xffff)) >>> 0;
}

const PC = 384;
const EPC = 392;
const CAUSE = 400;
const TVAL = 408;
const MASKED = 416;
const reg = (n: number): number => ENV.target + 8 * n;

const globals: EnvField[] = [];
for (let i = 0; i < 16; i++) globals.push({ name: `r${i}`, offset: reg(i), type: "i64" });
globals.push({ name: "pc", offset: PC, type: "i64" }, { name: "epc", offset: EPC, type: "i64" });

export const VECTOR = 0x8000;

/** A toy vCPU. Pages translate to themselves unless `map` says otherwise; -1 is unmapped. */
export class ToyCpu implements TargetCpu {
  readonly env: number;
  readonly index = 0;
  readonly engine: Engine;
  readonly map: Map<number, number> = new Map();
  readonly readOnly: Set<number> = new Set();
  large: ((page: number) => number) | undefined;
  pending = false;
  walks = 0;
  readonly faults: string[] = [];

  constructor(env: number, engine: Engine) {
    this.env = env;
    this.engine = engine;
  }
  #at(offset: number): number {
    return (this.env + offset) >>> 2;
  }
  r(n: number): bigint {
    return new DataView(this.engine.memory.buffer).getBigUint64(this.env + reg(n), true);
  }
  setR(n: number, v: bigint): void {
    new DataView(this.engine.memory.buffer).setBigUint64(this.env + reg(n), v, true);
  }
  get pc(): number {
    return this.engine.u32[this.#at(PC)]!;
  }
  set pc(v: number) {
    this.engine.u32[this.#at(PC)] = v;
    this.engine.u32[this.#at(PC) + 1] = 0;
  }
  get epc(): number {
    return this.engine.u32[this.#at(EPC)]!;
  }
  get cause(): number {
    return this.engine.u32[this.#at(CAUSE)]!;
  }
  get tval(): number {
    return this.engine.u32[this.#at(TVAL)]!;
  }
  raise(exception: number, tval: number): void {
    this.engine.i32[this.#at(ENV.exception)] = exception + 1;
    this.engine.i32[this.#at(TVAL)] = tval;
  }
  translate(lo: number, _hi: number, access: Access, _mmu: number, _size: number, out: Translation): boolean {
    this.walks++;
    const page = lo >>> 12;
    const to = this.map.get(page) ?? page;
    if (to < 0 || (access === STORE && this.readOnly.has(page))) {
      this.raise(access === LOAD ? 1 : access === STORE ? 2 : 3, lo);
      return false;
    }
    out.physical = to * 4096 + (lo & 4095);
    out.prot = this.readOnly.has(page) ? 5 : 7;
    out.pageBits = this.large?.(page) ?? 12;
    return true;
  }
  busFault(lo: number, _hi: number, _physical: number, _access: Access): boolean {
    this.raise(4, lo);
    return true;
  }
  interrupt(): boolean {
    if (!this.pending || this.engine.i32[this.#at(MASKED)] !== 0) return false;
    this.pending = false;
    this.deliver(99);
    return true;
  }
  deliver(exception: number): void {
    const { i32 } = this.engine;
    this.faults.push(`${exception}@${this.pc.toString(16)}`);
    i32[this.#at(CAUSE)] = exception;
    i32[this.#at(EPC)] = this.pc;
    i32[this.#at(MASKED)] = 1;
    this.pc = VECTOR;
  }
  restore(words: Int32Array, lo: number): void {
    this.pc = lo + words[0]!;
  }
  hasWork(): boolean {
    return this.pending;
  }
  reset(): void {}
}

const helpers: Helper[] = [
  {
    name: "raise",
    params: ["i32"],
    mayFault: true,
    writes: [],
    impl: { kind: "js", fn: (cpu: ToyCpu, exception: number) => cpu.raise(exception, 0) },
  },
  {
    name: "twice",
    params: ["i64"],
    result: "i64",
    reads: [],
    writes: [],
    impl: {
      kind: "js",
      fn: (cpu: ToyCpu, lo: number, hi: number) => {
        const v = ((BigInt(hi) << 32n) | BigInt(lo >>> 0)) * 2n;
        new DataView(cpu.engine.memory.buffer).setBigInt64(cpu.env + ENV.scratch, BigInt.asIntN(64, v), true);
      },
    },
  },
  {
    name: "mask",
    params: ["i32"],
    reads: [],
    writes: [],
    impl: {
      kind: "js",
      fn: (cpu: ToyCpu, on: number) => {
        cpu.engine.i32[(cpu.env + MASKED) >>> 2] = on;
      },
    },
  },
];

function insn(c: TranslateContext): number {
  const word = c.u32(c.at);
  if (word === -1) return 0;
  const { ir } = c;
  const d = (word >>> 20) & 15;
  const a = (word >>> 16) & 15;
  const imm = (word << 16) >> 16;
  const pc = c.pc + BigInt(c.at);
  const get = (n: number): Value => ir.get(`r${n}`);
  const set = (n: number, v: Value): void => ir.set(`r${n}`, v);
  const goto = (target: bigint, slot: 0 | 1): void => {
    ir.set("pc", ir.const64(target));
    ir.gotoTb(slot);
  };
  ir.insn(c.at);
  switch (word >>> 24) {
    case OP.addi: set(d, ir.addI(get(a), imm)); break;
    case OP.add: set(d, ir.add(get(a), get(imm & 15))); break;
    case OP.mul: set(d, ir.mul(get(a), get(imm & 15))); break;
    case OP.xor: set(d, ir.xor(get(a), get(imm & 15))); break;
    case OP.and1: set(d, ir.andI(get(a), 1)); break;
    // A word, shifted left by a constant.
    case OP.slw: set(d, ir.ext32s(ir.shl(get(a), ir.const64(BigInt(imm))))); break;
    case OP.slt: set(d, ir.setcond("lt", get(a), get(imm & 15))); break;
    case OP.lui: set(d, ir.const64(BigInt(imm) << 16n)); break;
    case OP.ld: set(d, ir.ld("i64", "u64", ir.addI(get(a), imm), 0)); break;
    case OP.ldb: set(d, ir.ld("i64", "u8", ir.addI(get(a), imm), 0)); break;
    case OP.ldw: set(d, ir.ld("i64", "s32", ir.addI(get(a), imm), 0)); break;
    case OP.st: ir.st("u64", ir.addI(get(a), imm), get(d), 0); break;
    case OP.stb: ir.st("u8", ir.addI(get(a), imm), get(d), 0); break;
    // From where register a leads to where register d does, with a displacement.
    case OP.copy: ir.st("u64", ir.addI(get(d), imm), ir.ld("i64", "u64", get(a), 0), 0); break;
    case OP.sth: ir.st("u16", ir.addI(get(a), imm), get(d), 0); break;
    case OP.amoadd: set(d, ir.atomic("add", "s32", get(a), get(imm & 15), 0)); break;
    case OP.cas: set(d, ir.cmpxchg("u64", get(a), get(d), get(imm & 15), 0)); break;
    case OP.twice: set(d, ir.call("twice", get(a))); break;
    case OP.bne:
    case OP.blt: {
      const taken = ir.label();
      ir.brcond(word >>> 24 === OP.bne ? "ne" : "lt", get(d), get(a), taken);
      goto(pc + 4n, 0);
      ir.place(taken);
      goto(pc + BigInt(imm * 4), 1);
      c.done = true;
      break;
    }
    case OP.jmp: goto(pc + BigInt(imm * 4), 0); c.done = true; break;
    case OP.jr: ir.set("pc", get(a)); ir.gotoPtr("indirect"); c.done = true; break;
    case OP.call:
      set(d, ir.const64(pc + 4n));
      ir.set("pc", ir.const64(pc + BigInt(imm * 4)));
      ir.gotoPtr("call");
      c.done = true;
      break;
    case OP.callr: {
      const to = get(a);
      set(d, ir.const64(pc + 4n));
      ir.set("pc", to);
      ir.gotoPtr("call");
      c.done = true;
      break;
    }
    case OP.ret: ir.set("pc", get(a)); ir.gotoPtr("return"); c.done = true; break;
    case OP.fence: ir.set("pc", ir.const64(pc + 4n)); ir.gotoPtr("barrier"); c.done = true; break;
    case OP.halt:
      ir.envSt("u32", ENV.halted, ir.const32(1));
      ir.set("pc", ir.const64(pc + 4n));
      ir.exit("halt");
      c.done = true;
      break;
    case OP.sys: ir.call("raise", ir.const32(imm)); ir.exit("next"); c.done = true; break;
    case OP.eret:
      ir.call("mask", ir.const32(0));
      ir.set("pc", ir.get("epc"));
      ir.exit("next");
      c.done = true;
      break;
    case OP.mask:
      ir.call("mask", ir.const32(imm));
      ir.set("pc", ir.const64(pc + 4n));
      ir.exit("next");
      c.done = true;
      break;
    case OP.pause: ir.set("pc", ir.const64(pc + 4n)); ir.exit("yield"); c.done = true; break;
    case OP.brk: ir.set("pc", ir.const64(pc)); ir.exit("debug"); c.done = true; break;
    default: ir.call("raise", ir.const32(5)); ir.exit("next"); c.done = true;
  } // prettier-ignore
  return 4;
}

export const toy: Target = {
  name: "toy",
  wordType: "i64",
  bigEndian: false,
  pageBits: 12,
  mmuIndexes: 2,
  globals,
  pcGlobal: "pc",
  helpers,
  modules: [],
  insnWords: 1,
  begin() {},
  insn,
  end(c) {
    c.ir.set("pc", c.ir.const64(c.pc + BigInt(c.at)));
    c.ir.gotoTb(0);
  },
  disassemble(_pc, bytes) {
    const name = Object.entries(OP).find(([, n]) => n === bytes[3])?.[0] ?? "?";
    return { text: `${name} r${(bytes[2]! >>> 4) & 15}, r${bytes[2]! & 15}`, length: 4 };
  },
};

const RAM = 0x10_0000;
export const MMIO = 0x1000_0000;

/** A machine with 1 MiB of RAM at 0 and one page of MMIO. */
export class ToyMachine {
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly tcg: TcgMachine;
  readonly vcpu: Vcpu;
  readonly cpu: ToyCpu;
  readonly ram = 65536;
  readonly log: string[] = [];
  readonly watched: Set<number> = new Set();
  /** Called on a write to the MMIO page. */
  onMmio: (offset: number, value: number) => void = () => {};
  mmioValue = 0x1234_5678;
  codeWritten: (ram: number, length: number) => void = () => {};
  #next = 65536 + RAM;

  /** @param shared on memory that threads share */
  constructor(options: TcgOptions, target: Target = toy, shared = false) {
    const self = this;
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { Memory: new (d: object) => { buffer: ArrayBufferLike } };
    };
    this.memory = new WebAssembly.Memory({ initial: 2048, maximum: 2048, shared });
    const bus: PhysicalBus & { lastFault: boolean } = {
      lastFault: false,
      lookup(at): PhysicalRange | undefined {
        if (at < RAM) return { base: 0, size: RAM, ramOffset: self.ram, readonly: false };
        if (at >= MMIO && at < MMIO + 4096) return { base: MMIO, size: 4096, ramOffset: -1, readonly: false };
        return undefined;
      },
      read(at, size) {
        bus.lastFault = at < MMIO || at >= MMIO + 4096;
        self.log.push(`r${size}@${(at - MMIO).toString(16)}`);
        return self.mmioValue & (size === 1 ? 0xff : size === 2 ? 0xffff : -1);
      },
      write(at, size, value) {
        bus.lastFault = at < MMIO || at >= MMIO + 4096;
        self.log.push(`w${size}@${(at - MMIO).toString(16)}=${value.toString(16)}`);
        self.onMmio(at - MMIO, value);
      },
      readWide(at, out) {
        out[0] = bus.read(at, 4);
        out[1] = bus.read(at + 4, 4);
      },
      writeWide(at, lo, hi) {
        bus.write(at, 4, lo);
        bus.write(at + 4, 4, hi);
      },
      watchCode: (page, on) => void (on ? self.watched.add(page) : self.watched.delete(page)),
      onCodeWrite: (fn) => void (self.codeWritten = fn),
      onChange: () => {},
    };
    this.tcg = new TcgMachine({
      memory: this.memory,
      alloc: (_name, size) => {
        const at = this.#next;
        this.#next += (size + 65535) & ~65535;
        return at;
      },
      target,
      physical: bus,
      options: { tbSize: 1 << 20, ...options },
    });
    let cpu: ToyCpu | undefined;
    this.vcpu = this.tcg.createCpu((env, engine) => (cpu = new ToyCpu(env, engine)));
    this.cpu = cpu!;
  }

  /** Writes instructions at an address. */
  program(at: number, ...words: number[]): void {
    words.forEach((w, i) => new DataView(this.memory.buffer).setUint32(this.ram + at + 4 * i, w, true));
  }

  u64(at: number): bigint {
    return new DataView(this.memory.buffer).getBigUint64(this.ram + at, true);
  }

  setU64(at: number, v: bigint): void {
    new DataView(this.memory.buffer).setBigUint64(this.ram + at, v, true);
  }
}
