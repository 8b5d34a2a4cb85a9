/** Which tables a hart decodes by, from its extensions. */
import { bind, Decoder, type Bound, type Entry } from "@mimus/decodetree";
import type { Extensions } from "./config.ts";
import { rv32a, rv64a } from "./decode/a.ts";
import { rv32c, rv32fc, rv64c, rvc, rvdc } from "./decode/c.ts";
import { rv32d, rv64d } from "./decode/d.ts";
import { rv32f, rv64f } from "./decode/f.ts";
import { rv32m, rv64m } from "./decode/m.ts";
import { machine, supervisor, svinval, zawrs } from "./decode/priv.ts";
import { rv32i, rv32iShifts, zifencei } from "./decode/rv32i.ts";
import { rv64i } from "./decode/rv64i.ts";
import { zba, zba64, zbb, zbb32, zbb64, zbc, zbs, zbs32, zbs64 } from "./decode/zb.ts";
import { zicbom, zicboz } from "./decode/zicbo.ts";
import { zicsr } from "./decode/zicsr.ts";
import type { Xlen } from "./state.ts";
import { translateRv32a, translateRv64a } from "./translate/a.ts";
import type { Block } from "./translate/block.ts";
import { translateRv32c, translateRv32fc, translateRv64c, translateRvc, translateRvdc } from "./translate/c.ts";
import { translateRv32d, translateRv64d } from "./translate/d.ts";
import { translateRv32f, translateRv64f } from "./translate/f.ts";
import { translateRv32m, translateRv64m } from "./translate/m.ts";
import { translateMachine, translateSupervisor, translateSvinval, translateZawrs } from "./translate/priv.ts";
import { translateRv32i, translateRv32iShifts, translateZifencei } from "./translate/rv32i.ts";
import { translateRv64i } from "./translate/rv64i.ts";
import * as zb from "./translate/zb.ts";
import { translateZicbom, translateZicboz } from "./translate/zicbo.ts";
import { translateZicsr } from "./translate/zicsr.ts";

/** A part of the instruction set: a table with its translators, and when a hart has it. */
interface Part {
  readonly name: string;
  readonly xlen?: Xlen;
  /** All of these extensions. */
  readonly needs: readonly (keyof Extensions)[];
  readonly bound: Bound<Block>;
}

/** Every part, in the order of the specification. */
const PARTS: readonly Part[] = [
  { name: "rv32i", needs: [], bound: bind(rv32i, translateRv32i) },
  { name: "rv32i-shifts", xlen: 32, needs: [], bound: bind(rv32iShifts, translateRv32iShifts) },
  { name: "rv64i", xlen: 64, needs: [], bound: bind(rv64i, translateRv64i) },
  { name: "zifencei", needs: ["zifencei"], bound: bind(zifencei, translateZifencei) },
  { name: "rv32m", needs: ["m"], bound: bind(rv32m, translateRv32m) },
  { name: "rv64m", xlen: 64, needs: ["m"], bound: bind(rv64m, translateRv64m) },
  { name: "rv32a", needs: ["a"], bound: bind(rv32a, translateRv32a) },
  { name: "rv64a", xlen: 64, needs: ["a"], bound: bind(rv64a, translateRv64a) },
  { name: "zicsr", needs: ["zicsr"], bound: bind(zicsr, translateZicsr) },
  { name: "rv32f", needs: ["f"], bound: bind(rv32f, translateRv32f) },
  { name: "rv64f", xlen: 64, needs: ["f"], bound: bind(rv64f, translateRv64f) },
  { name: "rv32d", needs: ["d"], bound: bind(rv32d, translateRv32d) },
  { name: "rv64d", xlen: 64, needs: ["d"], bound: bind(rv64d, translateRv64d) },
  { name: "zba", needs: ["zba"], bound: bind(zba, zb.translateZba) },
  { name: "zba64", xlen: 64, needs: ["zba"], bound: bind(zba64, zb.translateZba64) },
  { name: "zbb", needs: ["zbb"], bound: bind(zbb, zb.translateZbb) },
  { name: "zbb32", xlen: 32, needs: ["zbb"], bound: bind(zbb32, zb.translateZbb32) },
  { name: "zbb64", xlen: 64, needs: ["zbb"], bound: bind(zbb64, zb.translateZbb64) },
  { name: "zbc", needs: ["zbc"], bound: bind(zbc, zb.translateZbc) },
  { name: "zbs", needs: ["zbs"], bound: bind(zbs, zb.translateZbs) },
  { name: "zbs32", xlen: 32, needs: ["zbs"], bound: bind(zbs32, zb.translateZbsImmediate) },
  { name: "zbs64", xlen: 64, needs: ["zbs"], bound: bind(zbs64, zb.translateZbsImmediate) },
  { name: "zicbom", needs: ["zicbom"], bound: bind(zicbom, translateZicbom) },
  { name: "zicboz", needs: ["zicboz"], bound: bind(zicboz, translateZicboz) },
  { name: "machine", needs: [], bound: bind(machine, translateMachine) },
  { name: "supervisor", needs: ["s"], bound: bind(supervisor, translateSupervisor) },
  { name: "svinval", needs: ["svinval"], bound: bind(svinval, translateSvinval) },
  { name: "zawrs", needs: ["zawrs"], bound: bind(zawrs, translateZawrs) },
  { name: "rvc", needs: ["c"], bound: bind(rvc, translateRvc) },
  { name: "rv32c", xlen: 32, needs: ["c"], bound: bind(rv32c, translateRv32c) },
  { name: "rv64c", xlen: 64, needs: ["c"], bound: bind(rv64c, translateRv64c) },
  { name: "rv32fc", xlen: 32, needs: ["c", "f"], bound: bind(rv32fc, translateRv32fc) },
  { name: "rvdc", needs: ["c", "d"], bound: bind(rvdc, translateRvdc) },
];

/** The parts of `width` bits that a hart of `xlen` with `ext` has. `ext` absent: all parts of that register width. */
export function partsOf(width: 16 | 32, xlen: Xlen, ext?: Extensions): Bound<Block>[] {
  return PARTS.filter(
    (p) =>
      p.bound.width === width &&
      (p.xlen === undefined || p.xlen === xlen) &&
      (ext === undefined || p.needs.every((name) => ext[name])),
  ).map((p) => p.bound);
}

/** A part of the instruction set, for tools that enumerate instructions. */
export interface IsaPart {
  readonly name: string;
  readonly entries: readonly Entry[];
}
/** Every part that harts of a register width can have. */
export function isaParts(xlen: Xlen): IsaPart[] {
  return PARTS.filter((p) => p.xlen === undefined || p.xlen === xlen).map((p) => ({
    name: p.name,
    entries: p.bound.entries,
  }));
}

/** The decoders of a hart; without C there are no 16-bit instructions. */
export function decodersOf(
  xlen: Xlen,
  ext: Extensions,
): { wide: Decoder<Block>; compressed: Decoder<Block> | undefined } {
  const narrow = partsOf(16, xlen, ext);
  return {
    wide: new Decoder(partsOf(32, xlen, ext)),
    compressed: narrow.length > 0 ? new Decoder(narrow) : undefined,
  };
}
