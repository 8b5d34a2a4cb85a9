/**
 * Random programs with all kinds of control flow, as assembly text: nested and irreducible loops, calls and returns that do not pair,
 * recursion, tail calls, jumps through tables, jumps that skip frames, faults; integer, floating-point and memory operations between them.
 * Every cycle passes a check of a fuel register, so a program ends.
 */
import type { Random } from "./random.ts";

/** Where a program runs: without translation in M-mode, below page tables in S- or U-mode, as a Linux program, or as one with signals. */
export type FlowMode = "M" | "S" | "U" | "user" | "signals";

/** Settings of {@link flowProgram}. */
export interface FlowOptions {
  readonly xlen: 32 | 64;
  readonly mode: FlowMode;
  /** Blocks and operations per block, at most. */
  readonly blocks?: number;
  readonly operations?: number;
  /** Fuel: how often blocks that cycles pass through are entered, at most. */
  readonly fuel?: number;
}

/** A piece that can be left out: one operation, or the end of a block. */
type Unit = readonly string[];

/** A random program. Blocks follow each other in memory. */
export interface FlowProgram {
  readonly blocks: readonly {
    readonly label: string;
    /** Entered by a cycle: it takes fuel. */
    readonly checked: boolean;
    readonly units: readonly Unit[];
  }[];
  /** Labels of the four targets that jumps through the table have. */
  readonly table: readonly string[];
  readonly functions: readonly string[];
  readonly fuel: number;
}

/** Registers that operations name. x1 and x5 link, x2 is the stack, x23..x27 and x31 have uses of their own. */
const X = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 28, 29, 30];
/** Address of the scratch area's middle, of the end of what can be written, of the data, and the lowest stack pointer. */
export const REG = { scratch: "x26", edge: "x24", data: "x25", limit: "x23", fuel: "x27", temp: "x31" } as const;

const ALU = "add sub sll slt sltu xor srl sra or and mul mulh mulhu mulhsu div divu rem remu".split(" ");
const ALU_B = "sh1add sh2add sh3add andn orn xnor max min maxu minu rol ror bset bclr".split(" ");
const ALU_W = "addw subw sllw srlw sraw mulw divw divuw remw remuw add.uw sh2add.uw".split(" ");
const FLOAT3 = "fadd fsub fmul fdiv fmin fmax fsgnj fsgnjn fsgnjx".split(" ");
/** Blocks that a branch reaches for certain. */
const NEAR = 35;
const BRANCHES = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];

class Generator {
  readonly #r: Random;
  readonly #o: FlowOptions;
  readonly #count: number;
  readonly #entered: Set<number> = new Set();
  readonly #functions: number[] = [];

  constructor(r: Random, o: FlowOptions) {
    this.#r = r;
    this.#o = o;
    this.#count = 2 + r.below((o.blocks ?? 30) - 1);
  }

  program(): FlowProgram {
    const r = this.#r;
    // Functions begin in the later part; what is before them is the main program.
    for (let n = 1 + r.below(4); n > 0; n--) this.#functions.push(this.#enter(r.below(this.#count)));
    const table = Array.from({ length: 4 }, () => this.#enter(r.below(this.#count)));
    const units = Array.from({ length: this.#count }, (_, i) => this.#block(i));
    const label = (i: number): string => `b${i}`;
    return {
      blocks: units.map((u, i) => ({ label: label(i), checked: this.#entered.has(i), units: u })),
      table: table.map(label),
      functions: this.#functions.map(label),
      fuel: 1 + r.below(this.#o.fuel ?? 300),
    };
  }

  #enter(i: number): number {
    this.#entered.add(i);
    return i;
  }
  #x(): string {
    return `x${this.#r.pick(X)}`;
  }
  #f(): string {
    return `f${this.#r.below(10)}`;
  }
  /** A target of a jump from block i. */
  #target(i: number): string {
    const r = this.#r;
    const near = r.chance(3) ? i + 1 - r.below(3) : r.below(this.#count);
    const to = Math.min(Math.max(near, 0), this.#count - 1);
    if (to <= i) this.#entered.add(to);
    return `b${to}`;
  }

  #block(i: number): Unit[] {
    const r = this.#r;
    const units: Unit[] = [];
    if (this.#functions.includes(i)) units.push(this.#prologue());
    for (let n = r.below((this.#o.operations ?? 5) + 1); n > 0; n--) units.push(this.#operation());
    units.push(...this.#end(i));
    return units;
  }

  #prologue(): string[] {
    const [l] = this.#names();
    return [`bgeu sp, ${REG.limit}, 1f`, "ret", "1:", "addi sp, sp, -16", `${l.replace("l", "s")} ra, 8(sp)`];
  }

  /** Load and store of a whole register. */
  #names(): readonly [load: string, store: string] {
    return this.#o.xlen === 64 ? ["ld", "sd"] : ["lw", "sw"];
  }

  /** How a block ends; nothing: it goes on with the next. */
  #end(i: number): Unit[] {
    const r = this.#r;
    const [load, store] = this.#names();
    const shift = this.#o.xlen === 64 ? 3 : 2;
    const t = REG.temp;
    const last = i === this.#count - 1;
    const returnsHere = (): void => void (last || this.#enter(i + 1));
    switch (r.below(20)) {
      case 0: case 1: case 2: case 3: case 4: case 5: {
        const to = this.#target(i);
        const compared = `${this.#x()}, ${r.chance(4) ? "x0" : this.#x()}`;
        const branch = r.pick(BRANCHES);
        if (Math.abs(Number(to.slice(1)) - i) <= NEAR) return [[`${branch} ${compared}, ${to}`]];
        return [[`${branch} ${compared}, 1f`, "j 2f", "1:", `j ${to}`, "2:"]];
      }
      case 6: {
        // A loop of its own: the count is at most 15.
        const x = this.#x();
        this.#enter(i);
        return [[`andi ${x}, ${x}, 15`, `addi ${x}, ${x}, -1`, `bgtz ${x}, b${i}`]];
      }
      case 7: case 8: return [[`j ${this.#target(i)}`]];
      case 9: case 10: returnsHere(); return [[`call b${r.pick(this.#functions)}`]];
      case 11: returnsHere(); return [[`jal ${r.pick(["ra", "t0", "x0"])}, b${r.pick(this.#functions)}`]];
      case 12:
        returnsHere();
        return [[
          `andi ${t}, ${this.#x()}, 3`, `slli ${t}, ${t}, ${shift}`, `add ${t}, ${t}, ${REG.data}`, `${load} ${t}, 64(${t})`,
          `jalr ${r.pick(["ra", "ra", "t0"])}, ${t}`,
        ]];
      case 13: case 14:
        return [[
          `andi ${t}, ${this.#x()}, 3`, `slli ${t}, ${t}, ${shift}`, `add ${t}, ${t}, ${REG.data}`, `${load} ${t}, 32(${t})`,
          `jr ${t}`,
        ]];
      case 15: case 16: return [[`${load} ra, 8(sp)`, "addi sp, sp, 16", "ret"]];
      case 17:
        switch (r.below(5)) {
          case 0: return [["ret"]];
          case 1: return [["jr t0"]];
          case 2: returnsHere(); return [["jalr ra, ra"]];
          case 3: returnsHere(); return [["jalr ra, t0"]];
          default: return [[`${load} ra, 8(sp)`, "addi sp, sp, 16", `j b${r.pick(this.#functions)}`]];
        }
      case 18: {
        const to = `b${this.#enter(r.below(this.#count))}`;
        // Returns elsewhere; remembers a place to come back to; goes back there, dropping frames.
        switch (r.below(3)) {
          case 0: return [[`la ra, ${to}`, "ret"]];
          case 1: return [[`la ${t}, ${to}`, `${store} ${t}, 0(${REG.data})`, `${store} sp, 8(${REG.data})`]];
          default: return [[`${load} ${t}, 0(${REG.data})`, `${load} sp, 8(${REG.data})`, `jr ${t}`]];
        }
      }
      default: return [];
    } // prettier-ignore
  }

  #operation(): Unit {
    const r = this.#r;
    const wide = this.#o.xlen === 64;
    const [x, y, z] = [this.#x(), this.#x(), this.#x()];
    switch (r.below(24)) {
      case 0: case 1: case 2: return [`${r.pick(ALU)} ${x}, ${y}, ${z}`];
      case 3: return [`${r.pick(wide ? ALU_W : ALU)} ${x}, ${y}, ${z}`];
      case 4: return [`${r.pick(ALU_B)} ${x}, ${y}, ${z}`];
      case 5: return [`${r.pick(["addi", "xori", "ori", "andi", "slti", "sltiu"])} ${x}, ${y}, ${r.below(4096) - 2048}`];
      case 6: return [`${r.pick(["slli", "srli", "srai"])} ${x}, ${y}, ${r.below(this.#o.xlen)}`];
      case 7: return [`${r.pick(["c.addi", "c.li"])} ${x}, ${1 + r.below(30)}`];
      case 8: return [`${r.pick(["c.mv", "c.add"])} ${x}, ${y}`];
      case 9: return [`${r.pick(["lui", "auipc"])} ${x}, ${r.below(1 << 20)}`];
      case 10: return this.#burst(y);
      case 11: case 12: return this.#access(y, (at) => this.#load(x, at));
      case 13: case 14: return this.#access(y, (at) => `${r.pick(wide ? ["sb", "sh", "sw", "sd"] : ["sb", "sh", "sw"])} ${x}, ${at}`);
      case 15: {
        const size = wide && r.chance(2) ? "d" : "w";
        const op = r.pick(["amoadd", "amoswap", "amoxor", "amomax", "amominu", "lr", "sc", "pair"]);
        const t = REG.temp;
        const at = [`andi ${t}, ${y}, 0x7f8`, `add ${t}, ${t}, ${REG.scratch}`];
        // Whether a store-conditional of another size than the reservation's succeeds is open: these are all words.
        if (op === "lr") return [...at, `lr.w ${x}, (${t})`];
        if (op === "sc") return [...at, `sc.w ${x}, ${z}, (${t})`];
        if (op === "pair") return [...at, `lr.${size} ${x}, (${t})`, `add ${x}, ${x}, ${z}`, `sc.${size} ${z}, ${x}, (${t})`];
        return [...at, `${op}.${size} ${x}, ${z}, (${t})`];
      }
      case 16: case 17: return this.#float();
      case 18: return this.#access(y, (at) => `${r.pick(["fld", "fsd", "flw", "fsw"])} ${this.#f()}, ${at}`);
      case 19: case 20: return this.#trap(x);
      case 21: return [r.pick([`csrwi frm, ${r.below(5)}`, `csrr ${x}, fflags`, `csrwi fflags, ${r.below(32)}`, `csrr ${x}, fcsr`])];
      default: return r.chance(6) ? ["fence.i"] : ["fence"];
    } // prettier-ignore
  }

  #load(x: string, at: string): string {
    const names =
      this.#o.xlen === 64 ? ["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"] : ["lb", "lbu", "lh", "lhu", "lw"];
    return `${this.#r.pick(names)} ${x}, ${at}`;
  }

  /** Accesses through one base, on both sides of a page's end, which may move in between. */
  #burst(index: string): string[] {
    const r = this.#r;
    const t = REG.temp;
    const lines = [
      `andi ${t}, ${index}, ${r.pick([0x7f8, 0x7ff, 0xf8])}`,
      `add ${t}, ${t}, ${r.chance(3) ? REG.edge : REG.scratch}`,
    ];
    const offset = (): number => (r.chance(2) ? r.below(64) * 8 : r.below(4096) - 2048);
    for (let n = 3 + r.below(4); n > 0; n--) {
      if (r.chance(6)) lines.push(`addi ${t}, ${t}, ${r.pick([-64, -8, 8, 1, 2040])}`);
      const at = `${offset()}(${t})`;
      lines.push(r.chance(2) ? this.#load(this.#x(), at) : `${r.pick(["sb", "sh", "sw", "fsd"])} %, ${at}`);
    }
    return lines.map((line) => line.replace("%", line.startsWith("fsd") ? this.#f() : this.#x()));
  }

  /** A place in the scratch area, aligned or not; sometimes near pages that can't be accessed. */
  #access(index: string, insn: (at: string) => string): string[] {
    const r = this.#r;
    if (r.chance(5)) return [insn(`${r.below(4096) - 2048}(${r.chance(2) ? REG.edge : REG.scratch})`)];
    const t = REG.temp;
    return [
      `andi ${t}, ${index}, ${r.pick([0x7ff, 0x7f8, 0xff, 0x38])}`,
      `add ${t}, ${t}, ${REG.scratch}`,
      insn(`${r.chance(2) ? 0 : (r.below(4096) - 2048) & (r.chance(2) ? -1 : -8)}(${t})`),
    ];
  }

  #float(): Unit {
    const r = this.#r;
    const s = r.pick(["s", "d"]);
    const rm = r.chance(4) ? `, ${r.pick(["rne", "rtz", "rdn", "rup", "rmm"])}` : "";
    const [a, b, c, d] = [this.#f(), this.#f(), this.#f(), this.#f()];
    switch (r.below(9)) {
      case 0: case 1: case 2: case 3: {
        const op = r.pick(FLOAT3);
        return [`${op}.${s} ${a}, ${b}, ${c}${/^f(add|sub|mul|div)$/.test(op) ? rm : ""}`];
      }
      case 4: return [`${r.pick(["fmadd", "fmsub", "fnmadd", "fnmsub"])}.${s} ${a}, ${b}, ${c}, ${d}${rm}`];
      case 5: return [`${r.pick(["feq", "flt", "fle"])}.${s} ${this.#x()}, ${a}, ${b}`];
      case 6: return [`fcvt.${s}.w ${a}, ${this.#x()}`];
      case 7: return [r.pick([`fcvt.w.${s} ${this.#x()}, ${a}, ${r.pick(["rtz", "rne", "rup"])}`, `fclass.${s} ${this.#x()}, ${a}`, `fmv.x.w ${this.#x()}, ${a}`])];
      default: return [s === "s" ? `fcvt.s.d ${a}, ${b}` : `fcvt.d.s ${a}, ${b}`];
    } // prettier-ignore
  }

  /** Something the trap handler skips; nothing where there is none. */
  #trap(x: string): Unit {
    if (this.#o.mode === "user") return [`c.addi ${x}, 1`];
    const r = this.#r;
    const traps = [
      this.#o.mode === "signals" ? "ebreak" : "ecall",
      "ebreak",
      ".word 0xffffffff",
      `csrr ${x}, 0x7ff`,
      "csrw cycle, x0",
    ];
    // Scratch pages are not executable below page tables.
    if (this.#o.mode !== "M") traps.push(`jalr ${r.pick(["ra", "x0"])}, ${REG.scratch}`);
    return [r.pick(traps)];
  }
}

/** A random program. The same generator state gives the same program. */
export function flowProgram(r: Random, options: FlowOptions): FlowProgram {
  return new Generator(r, options).program();
}
