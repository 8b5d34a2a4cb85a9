// Source: Intel SDM volume 2 (2023), chapter 2 (instruction format, VEX) and appendix A.
import { OPERAND, type Encoding, type Insn, type Operand, type OperandKind } from "../insn.ts";
import { SEG } from "../state.ts";
import { Bytes, type FetchByte } from "./bytes.ts";
import { ALL_ROWS } from "./index.ts";
import { TRAITS } from "./notation.ts";
import { BANK, IMMEDIATE, PLACE, SIZE, sizeOf, type OperandSpec } from "./operand.ts";
import { compileRow, MAP, type Row } from "./row.ts";
import { compileTable, NONE, slotOf, type Table } from "./table.ts";

/** Control registers that there are: 0, 2, 3, 4, 8. */
const CONTROL = 0b1_0001_1101;

/**
 * What became of bytes: an instruction; a byte could not be fetched (`Insn.length` is which); there is no such
 * instruction (#UD); it has more than 15 bytes (#GP).
 */
export type Decoded = "ok" | "fetch" | "invalid" | "long";

/** Whether a row's feature ("a b": both, "a|b": either) is among `features`. */
function hasFeature(features: ReadonlySet<string> | undefined, needed: string | undefined): boolean {
  if (needed === undefined || features === undefined) return true;
  return needed.split(" ").every((all) => all.split("|").some((name) => features.has(name)));
}

/** What a decoder may be told beyond its rows. */
export interface DecoderOptions {
  /** Rows whose feature is not among these do not exist; absent: all rows do. */
  readonly features?: ReadonlySet<string>;
  /** Near branches in 64-bit mode obey 66, as AMD's processors have it (APM volume 3, 1.2.7); Intel's ignore it. */
  readonly near16?: boolean;
  /** LOCK is allowed with every instruction, and means nothing where it is not of use: before the 80386. */
  readonly lockAnywhere?: boolean;
}

/** Decodes instructions by tables that are compiled from rows. One instruction at a time; allocates nothing. */
export class Decoder {
  readonly #rows: readonly Row[];
  readonly #table: Table;
  readonly #near16: boolean;
  readonly #lockAnywhere: boolean;
  readonly #bytes: Bytes = new Bytes();
  #rex = 0;
  #rexR = 0;
  #rexX = 0;
  #rexB = 0;
  #vvvv = 0;

  /** @throws RowError where rows are not in the notation, or contradict each other. */
  constructor(
    rows: readonly Encoding[] = ALL_ROWS,
    { features, near16 = false, lockAnywhere = false }: DecoderOptions = {},
  ) {
    this.#rows = rows.map(compileRow);
    this.#table = compileTable(this.#rows.filter(({ encoding }) => hasFeature(features, encoding.feature)));
    this.#near16 = near16;
    this.#lockAnywhere = lockAnywhere;
  }

  /** Decodes the instruction that `fetch` gives into `insn`, for a code segment of `mode` bits. */
  decode(fetch: FetchByte, mode: 16 | 32 | 64, insn: Insn): Decoded {
    this.#bytes.start(fetch);
    this.#rex = this.#rexR = this.#rexX = this.#rexB = 0;
    this.#vvvv = 0;
    insn.mode = mode;
    insn.operandCount = 0;
    insn.immLo = insn.immHi = insn.imm2 = 0;
    insn.modrm = -1;
    insn.vex = 0;
    const found = this.#decode(mode, insn);
    insn.length = this.#bytes.at;
    if (this.#bytes.bad !== "") return this.#bytes.bad;
    return found ? "ok" : "invalid";
  }

  #decode(mode: 16 | 32 | 64, insn: Insn): boolean {
    const wide = mode === 64;
    let size = false;
    let address = false;
    let lock = false;
    let rep = 0;
    let segment = -1;
    let rex = 0;
    let opcode = 0;
    prefixes: for (;;) {
      opcode = this.#bytes.next();
      switch (opcode) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
          // In 64-bit mode these are read and mean nothing, but FS and GS before them stay
          if (!wide || segment < SEG.fs) segment = (opcode >> 3) & 3;
          break;
        case 0x64:
        case 0x65:
          segment = opcode - 0x60;
          break;
        case 0x66:
          size = true;
          break;
        case 0x67:
          address = true;
          break;
        case 0xf0:
          lock = true;
          break;
        case 0xf2:
        case 0xf3:
          rep = opcode;
          break;
        default:
          if (!wide || (opcode & 0xf0) !== 0x40 || this.#bytes.bad !== "") break prefixes;
          // REX counts only right before the opcode
          rex = opcode;
          continue;
      }
      rex = 0;
      if (this.#bytes.bad !== "") return false;
    }
    if (this.#bytes.bad !== "") return false;
    insn.segment = segment;
    insn.lock = lock;
    insn.adSize = wide ? (address ? 4 : 8) : (mode === 32) === address ? 2 : 4;
    this.#rex = rex;
    this.#rexR = (rex & 4) << 1;
    this.#rexX = (rex & 2) << 2;
    this.#rexB = (rex & 1) << 3;
    let w = (rex >> 3) & 1;

    let map: number = MAP.one;
    let pp = rep === 0 ? (size ? 1 : 0) : rep === 0xf3 ? 2 : 3;
    let l = 0;
    if (opcode === 0x0f) {
      opcode = this.#bytes.next();
      map = MAP.two;
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? MAP.three38 : MAP.three3a;
        opcode = this.#bytes.next();
      }
    } else if (opcode === 0xc4 || opcode === 0xc5) {
      const payload = this.#bytes.next();
      if (this.#bytes.bad !== "") return false;
      if (!wide && payload < 0xc0) {
        // LES, LDS: the byte is their ModRM
        this.#bytes.back();
      } else {
        if (size || lock || rep !== 0 || rex !== 0) return false;
        let last = payload;
        map = MAP.vex + 1;
        if (opcode === 0xc4) {
          last = this.#bytes.next();
          map = MAP.vex + (payload & 31);
          if (map < MAP.vex + 1 || map > MAP.vex + 3) return false;
          w = last >> 7;
          this.#rexX = wide ? (~payload & 0x40) >> 3 : 0;
          this.#rexB = wide ? (~payload & 0x20) >> 2 : 0;
        }
        this.#rexR = wide ? (~payload & 0x80) >> 4 : 0;
        this.#vvvv = (~last >> 3) & 15;
        l = (last >> 2) & 1;
        pp = VEX_PREFIX[last & 3] as number;
        insn.vex = l === 1 ? 32 : 16;
        opcode = this.#bytes.next();
      }
    }
    if (this.#bytes.bad !== "") return false;
    insn.opcode = opcode;
    // XCHG with R8 is no NOP
    const exchange = opcode === 0x90 && map === MAP.one && this.#rexB !== 0;
    let index = this.#table.slots[slotOf(wide ? 1 : 0, map, pp, w, l, exchange ? 0x91 : opcode)] as number;
    if (index < NONE) {
      insn.modrm = this.#bytes.next();
      if (this.#bytes.bad !== "") return false;
      index = this.#table.byModrm[-2 - index]?.[insn.modrm] as number;
    }
    if (index === NONE) return false;
    const row = this.#rows[index] as Row;
    if (row.modrm && insn.modrm < 0) insn.modrm = this.#bytes.next();
    insn.encoding = row.encoding;
    insn.row = index;
    insn.traits = row.traits;
    insn.rep = row.mandatoryRep || insn.vex !== 0 ? 0 : rep;
    insn.rexW = wide && w === 1;
    insn.opSize = this.#operandSize(mode, row, size, w);
    return this.#operands(insn, row);
  }

  #operandSize(mode: 16 | 32 | 64, row: Row, prefix: boolean, w: number): 2 | 4 | 8 {
    const small = prefix && !row.mandatory66;
    if (row.map > MAP.vex) return mode === 64 && w === 1 ? 8 : 4;
    if (mode !== 64) return (mode === 16) === small ? 4 : 2;
    if ((row.traits & TRAITS.f64) !== 0) return this.#near16 && small && w === 0 && isNear(row) ? 2 : 8;
    if (w === 1) return 8;
    return small ? 2 : (row.traits & TRAITS.d64) !== 0 ? 8 : 4;
  }

  #operands(insn: Insn, row: Row): boolean {
    const { mem } = insn;
    mem.seg = insn.mode === 64 && insn.segment < SEG.fs ? SEG.ds : insn.segment < 0 ? SEG.ds : insn.segment;
    mem.base = mem.index = -1;
    mem.scale = mem.disp = mem.dispHi = 0;
    let memory = false;
    if (row.modrm && row.modrm.form !== "a" && insn.modrm < 0xc0) {
      memory = true;
      if (!this.#memory(insn, (row.traits & TRAITS.vsib) !== 0)) return false;
    }
    if (row.imm1 !== 0) this.#immediate(insn, row.imm1);
    if (row.imm2 !== 0) {
      const low = insn.immLo;
      const high = insn.immHi;
      this.#immediate(insn, row.imm2);
      insn.imm2 = insn.immLo;
      insn.immLo = low;
      insn.immHi = high;
    }
    if (this.#bytes.bad !== "") return false;
    const specs = row.operands;
    insn.operandCount = specs.length;
    for (let k = 0; k < specs.length; k++)
      if (!this.#operand(insn, specs[k] as OperandSpec, insn.operands[k] as Operand, row)) return false;
    if (row.map > MAP.vex && !row.vvvv && this.#vvvv !== 0) return false;
    if (!insn.lock || ((row.traits & TRAITS.lock) !== 0 && memory && insn.operands[0].kind === OPERAND.mem))
      return true;
    insn.lock = false;
    return this.#lockAnywhere;
  }

  /** ModRM and SIB. Source: SDM volume 2, tables 2-1 to 2-3, 2-5. */
  #memory(insn: Insn, vsib: boolean): boolean {
    const { mem, modrm } = insn;
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (insn.adSize === 2) {
      if (vsib) return false;
      this.#memory16(insn, mod, rm);
      return this.#bytes.bad === "";
    }
    let base = rm;
    if (rm === 4) {
      const sib = this.#bytes.next();
      const index = ((sib >> 3) & 7) | this.#rexX;
      mem.scale = sib >> 6;
      mem.index = index === 4 && !vsib ? -1 : index;
      base = sib & 7;
    } else if (vsib) return false;
    if (base === 5 && mod === 0) {
      mem.base = rm === 4 || insn.mode !== 64 ? -1 : -2;
      mem.disp = this.#bytes.imm32();
    } else {
      mem.base = base | this.#rexB;
      if (mod === 1) mem.disp = this.#bytes.imm8();
      else if (mod === 2) mem.disp = this.#bytes.imm32();
      if ((mem.base === 4 || mem.base === 5) && (insn.mode === 64 ? insn.segment < SEG.fs : insn.segment < 0))
        mem.seg = SEG.ss;
    }
    mem.dispHi = mem.disp >> 31;
    return this.#bytes.bad === "";
  }

  #memory16(insn: Insn, mod: number, rm: number): void {
    const { mem } = insn;
    if (mod === 0 && rm === 6) {
      mem.disp = this.#bytes.imm16();
    } else {
      mem.base = BASE16[rm] as number;
      mem.index = INDEX16[rm] as number;
      if (mod === 1) mem.disp = this.#bytes.imm8();
      else if (mod === 2) mem.disp = this.#bytes.imm16();
      if (mem.base === 5 && insn.segment < 0) mem.seg = SEG.ss;
    }
    mem.dispHi = mem.disp >> 31;
  }

  #immediate(insn: Insn, kind: number): void {
    switch (kind) {
      case IMMEDIATE.ib:
      case IMMEDIATE.is4:
        insn.immLo = this.#bytes.next();
        insn.immHi = 0;
        return;
      case IMMEDIATE.iw:
        insn.immLo = this.#bytes.imm16() & 0xffff;
        insn.immHi = 0;
        return;
      case IMMEDIATE.cb:
        insn.immLo = this.#bytes.imm8();
        break;
      case IMMEDIATE.id:
        insn.immLo = this.#bytes.imm32();
        break;
      case IMMEDIATE.iz:
      case IMMEDIATE.cz:
        insn.immLo = insn.opSize === 2 ? this.#bytes.imm16() : this.#bytes.imm32();
        break;
      case IMMEDIATE.iv:
        insn.immLo = insn.opSize === 2 ? this.#bytes.imm16() : this.#bytes.imm32();
        if (insn.opSize < 8) break;
        insn.immHi = this.#bytes.imm32();
        return;
      case IMMEDIATE.cp:
        insn.immLo = insn.opSize === 2 ? this.#bytes.imm16() & 0xffff : this.#bytes.imm32();
        insn.immHi = 0;
        insn.imm2 = this.#bytes.imm16() & 0xffff;
        return;
      default: // mo
        insn.mem.disp = insn.adSize === 2 ? this.#bytes.imm16() & 0xffff : this.#bytes.imm32();
        insn.mem.dispHi = insn.adSize === 8 ? this.#bytes.imm32() : 0;
        return;
    }
    insn.immHi = insn.immLo >> 31;
  }

  #operand(insn: Insn, spec: OperandSpec, out: Operand, row: Row): boolean {
    out.high = false;
    out.size = sizeOf(spec.size, insn);
    const reg = (insn.modrm >> 3) & 7;
    switch (spec.place) {
      case PLACE.regG:
        this.#general(out, reg | this.#rexR);
        return true;
      case PLACE.regB:
        this.#general(out, insn.mode === 64 ? this.#vvvv : this.#vvvv & 7);
        return true;
      case PLACE.regZ:
        this.#general(out, (insn.opcode & 7) | this.#rexB);
        return true;
      case PLACE.rm:
        return this.#rm(insn, spec, out, row);
      case PLACE.vecV:
        set(out, OPERAND.vec, reg | this.#rexR);
        return true;
      case PLACE.vecH:
        set(out, OPERAND.vec, insn.mode === 64 ? this.#vvvv : this.#vvvv & 7);
        return true;
      case PLACE.vecL:
        set(out, OPERAND.vec, ((row.imm2 === 0 ? insn.immLo : insn.imm2) >> 4) & (insn.mode === 64 ? 15 : 7));
        return true;
      case PLACE.mmP:
        set(out, OPERAND.mm, reg);
        return true;
      case PLACE.seg:
        set(out, OPERAND.seg, reg);
        // Segment registers are six; CS is no destination
        return reg < 6 && (reg !== SEG.cs || row.operands[0] !== spec);
      case PLACE.cr:
        set(out, OPERAND.cr, reg | this.#rexR);
        return ((CONTROL >> out.n) & 1) !== 0;
      case PLACE.dr:
        set(out, OPERAND.dr, reg | this.#rexR);
        return out.n < 8;
      case PLACE.imms:
        insn.immLo = (insn.immLo << 24) >> 24;
        insn.immHi = insn.immLo >> 31;
        set(out, OPERAND.imm, 0);
        return true;
      case PLACE.imm:
        // An immediate of 4 bytes for an operand of 8 is sign-extended: it counts as one of 8
        if (spec.size === SIZE.z) out.size = insn.opSize;
        set(out, row.imm2 !== 0 && row.operands[insn.operandCount - 1] === spec ? OPERAND.imm2 : OPERAND.imm, 0);
        return true;
      case PLACE.rel:
        set(out, OPERAND.rel, 0);
        return true;
      case PLACE.far:
        set(out, OPERAND.far, 0);
        return true;
      case PLACE.moffs:
        set(out, OPERAND.mem, 0);
        return true;
      case PLACE.stringX:
        set(out, OPERAND.mem, 6);
        insn.mem.base = 6;
        insn.mem.seg = insn.mode === 64 && insn.segment < SEG.fs ? SEG.ds : insn.segment < 0 ? SEG.ds : insn.segment;
        return true;
      case PLACE.stringY:
        set(out, OPERAND.mem, 7);
        if (insn.mem.base === 6) return true;
        insn.mem.base = 7;
        insn.mem.seg = SEG.es;
        return true;
      case PLACE.fixedReg:
        set(out, OPERAND.reg, spec.n);
        return true;
      case PLACE.fixedHigh:
        set(out, OPERAND.reg, spec.n);
        out.high = true;
        return true;
      case PLACE.fixedSeg:
        set(out, OPERAND.seg, spec.n);
        return true;
      case PLACE.fixedVec:
        set(out, OPERAND.vec, spec.n);
        return true;
      case PLACE.fixedSt:
        set(out, OPERAND.st, spec.n);
        return true;
      case PLACE.stRm:
        set(out, OPERAND.st, insn.modrm & 7);
        return true;
      default:
        set(out, OPERAND.one, 1);
        return true;
    }
  }

  #rm(insn: Insn, spec: OperandSpec, out: Operand, row: Row): boolean {
    if (insn.modrm < 0xc0 && row.modrm?.form !== "a") {
      set(out, OPERAND.mem, 0);
      out.size = sizeOf(spec.memSize, insn);
      return true;
    }
    const n = (insn.modrm & 7) | this.#rexB;
    if (spec.n === BANK.general) this.#general(out, n);
    else if (spec.n === BANK.vector) set(out, OPERAND.vec, n);
    else if (spec.n === BANK.mmx) set(out, OPERAND.mm, n & 7);
    else return false;
    return true;
  }

  #general(out: Operand, n: number): void {
    set(out, OPERAND.reg, n);
    if (out.size === 1 && this.#rex === 0 && n >= 4) {
      out.n = n - 4;
      out.high = true;
    }
  }
}

/** VEX.pp counts 66, F3, F2 as the tables do. */
const VEX_PREFIX = [0, 1, 2, 3];
const BASE16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX16 = [6, 7, 6, 7, -1, -1, -1, -1];

function isNear({ encoding }: Row): boolean {
  return /^(jcc|jmp|call|ret|loop|jcxz)/.test(encoding.name);
}

function set(out: Operand, kind: OperandKind, n: number): void {
  out.kind = kind;
  out.n = n;
}
