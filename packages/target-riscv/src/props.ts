/** Properties of the CPU types. Names and defaults are those of QEMU 7.2 unless the text says otherwise. */
import { onOff, u16, u32, u64, u8 } from "@mimus/qom";
import { z } from "zod";
import type { Xlen } from "./state.ts";

/** A QEMU-compatible version number: 7.2.22 as marchid and mimpid show it. */
const VERSION = 0x70216;

const flag = (on: boolean, text: string) => onOff.default(on).describe(text);
/** An extension that is known but not there: asking for it is an error, turning it off is not. */
const absent = (text: string) =>
  onOff
    .default(false)
    .refine((on) => !on, "this extension is not modelled yet; leave it off")
    .describe(`${text} (not modelled: only off)`);

/** What every model has. */
export const commonProps = z.strictObject({
  mvendorid: u32.default(0).describe("value of mvendorid"),
  marchid: u64.default(VERSION).describe("value of marchid"),
  mimpid: u64.default(VERSION).describe("value of mimpid"),
  resetvec: u64.default(0x1000).describe("address of the first instruction"),
  hartid: u32.optional().describe("value of mhartid; default: the number of the CPU"),
  debug: flag(true, "trigger CSRs exist"),
  "short-isa-string": flag(false, "the device tree names single-letter extensions only"),
  rvv_ta_all_1s: flag(false, "vector tail elements become all ones (no effect without V)"),
  rvv_ma_all_1s: flag(false, "vector inactive elements become all ones (no effect without V)"),
});

/** What models with a choice of extensions have besides. */
export const extensionProps = z.strictObject({
  i: flag(true, "base integer instructions"),
  e: flag(false, "base integer instructions with 16 registers"),
  g: flag(false, "I, M, A, F, D, Zicsr and Zifencei together"),
  m: flag(true, "integer multiplication and division"),
  a: flag(true, "atomic instructions"),
  f: flag(true, "single-precision floating point"),
  d: flag(true, "double-precision floating point"),
  c: flag(true, "compressed instructions"),
  s: flag(true, "supervisor mode"),
  u: flag(true, "user mode"),
  h: absent("hypervisor"),
  v: absent("vector instructions"),
  Zicsr: flag(true, "control and status register instructions"),
  Zifencei: flag(true, "instruction-fetch fence"),
  Zihintpause: flag(true, "pause hint"),
  zba: flag(true, "address generation bit manipulation"),
  zbb: flag(true, "basic bit manipulation"),
  zbc: flag(true, "carry-less multiplication"),
  zbs: flag(true, "single-bit instructions"),
  zawrs: flag(false, "wait on reservation set (not in QEMU 7.2)"),
  zicbom: flag(false, "cache-block management (not in QEMU 7.2)"),
  zicbop: flag(false, "cache-block prefetch hints (not in QEMU 7.2)"),
  zicboz: flag(false, "cache-block zero (not in QEMU 7.2)"),
  cbom_blocksize: u16.default(64).describe("bytes that one Zicbom operation covers"),
  cboz_blocksize: u16.default(64).describe("bytes that one Zicboz operation covers"),
  sstc: flag(true, "supervisor-mode timer compare"),
  svinval: flag(false, "fine-grained address-translation cache invalidation"),
  svnapot: absent("naturally aligned power-of-two pages"),
  svpbmt: absent("page-based memory types"),
  sscofpmf: absent("counter overflow"),
  mmu: flag(true, "address translation"),
  sv39: flag(true, "Sv39 translation (RV64)"),
  sv48: flag(true, "Sv48 translation (RV64); needs sv39"),
  sv57: flag(true, "Sv57 translation (RV64); needs sv48"),
  pmp: flag(true, "physical memory protection"),
  "pmu-num": u8
    .default(16)
    .refine((n) => n <= 29, "must be 0 to 29")
    .describe("performance counters (they stay zero)"),
  priv_spec: z.enum(["v1.10.0", "v1.11.0", "v1.12.0"]).optional().describe("privileged specification; default v1.12.0"),
  vext_spec: z.enum(["v1.0"]).optional().describe("vector specification (no effect without V)"),
  vlen: u16.default(128).describe("bits of a vector register (no effect without V)"),
  elen: u16.default(64).describe("bits of the widest vector element (no effect without V)"),
  Zfh: absent("half-precision floating point"),
  Zfhmin: absent("minimal half-precision floating point"),
  Zve32f: absent("embedded vectors, 32-bit"),
  Zve64f: absent("embedded vectors, 64-bit"),
  zfinx: absent("single-precision in integer registers"),
  zdinx: absent("double-precision in integer registers"),
  zhinx: absent("half-precision in integer registers"),
  zhinxmin: absent("minimal half-precision in integer registers"),
  zmmul: absent("multiplication without division"),
  zbkb: absent("bit manipulation for cryptography"),
  zbkc: absent("carry-less multiplication for cryptography"),
  zbkx: absent("crossbar permutations"),
  zk: absent("standard scalar cryptography"),
  zkn: absent("NIST algorithm suite"),
  zknd: absent("AES decryption"),
  zkne: absent("AES encryption"),
  zknh: absent("SHA-2"),
  zkr: absent("entropy source"),
  zks: absent("ShangMi algorithm suite"),
  zksed: absent("SM4"),
  zksh: absent("SM3"),
  zkt: absent("data-independent execution latency"),
  xventanacondops: absent("Ventana conditional operations"),
  "x-epmp": absent("enhanced PMP"),
  "x-j": absent("dynamically translated languages"),
  "x-smaia": absent("advanced interrupts, machine"),
  "x-ssaia": absent("advanced interrupts, supervisor"),
});

/** Properties after parsing: common ones always, the others when the model has them. */
export type CpuProps = z.output<typeof commonProps> & Partial<z.output<typeof extensionProps>>;

/** What a model fixes, or starts from when its user may choose. */
export interface CpuModel {
  /** Name for `-cpu`. */
  readonly name: string;
  readonly xlen: Xlen;
  readonly summary: string;
  /** Single-letter extensions besides the base, when the model fixes them. */
  readonly letters?: string;
  /** Privileged specification 1.`priv`. */
  readonly priv: 10 | 11 | 12;
  /** Translation that the model is limited to. */
  readonly paging: "none" | "sv32" | "sv39" | "sv48" | "sv57";
  /** The extension properties exist and choose what `letters` does not fix. */
  readonly flexible: boolean;
}
