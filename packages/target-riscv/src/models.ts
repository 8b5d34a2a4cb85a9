/** The CPU models, and the hart each set of properties makes. */
import { EXTENSION_NAMES, type Extensions, type HartConfig, type PagingMode } from "./config.ts";
import { RiscvError } from "./errors.ts";
import type { CpuModel, CpuProps } from "./props.ts";

/** Every model, in the order of `-cpu help`. Source of the fixed ones: the SiFive core manuals' ISA sections. */
export const MODELS: readonly CpuModel[] = [
  { name: "any", xlen: 64, priv: 12, paging: "sv57", flexible: true, letters: "mafdcu", summary: "RV64IMAFDC, M and U modes" },
  { name: "rv64", xlen: 64, priv: 12, paging: "sv57", flexible: true, summary: "RV64 with a choice of extensions" },
  { name: "shakti-c", xlen: 64, priv: 10, paging: "sv39", flexible: false, letters: "mafdcsu", summary: "IIT Madras Shakti C" },
  { name: "sifive-e51", xlen: 64, priv: 10, paging: "none", flexible: false, letters: "macu", summary: "SiFive E51" },
  { name: "sifive-u54", xlen: 64, priv: 10, paging: "sv39", flexible: false, letters: "mafdcsu", summary: "SiFive U54" },
  { name: "any", xlen: 32, priv: 12, paging: "sv32", flexible: true, letters: "mafdcu", summary: "RV32IMAFDC, M and U modes" },
  { name: "lowrisc-ibex", xlen: 32, priv: 11, paging: "none", flexible: false, letters: "mcu", summary: "lowRISC Ibex" },
  { name: "rv32", xlen: 32, priv: 12, paging: "sv32", flexible: true, summary: "RV32 with a choice of extensions" },
  { name: "sifive-e31", xlen: 32, priv: 10, paging: "none", flexible: false, letters: "macu", summary: "SiFive E31" },
  { name: "sifive-e34", xlen: 32, priv: 10, paging: "none", flexible: false, letters: "mafcu", summary: "SiFive E34" },
  { name: "sifive-u34", xlen: 32, priv: 10, paging: "sv32", flexible: false, letters: "mafdcsu", summary: "SiFive U34" },
]; // prettier-ignore

/** Extensions that need others. Source: the chapters of the extensions. */
const NEEDS: readonly (readonly [keyof Extensions, readonly (keyof Extensions)[]])[] = [
  ["d", ["f"]],
  ["f", ["zicsr"]],
  ["s", ["u"]],
  ["sstc", ["s"]],
];

const PRIV_SPEC = { "v1.10.0": 10, "v1.11.0": 11, "v1.12.0": 12 } as const;

/** The hart that a model makes of its properties. @throws RiscvError when they exclude each other. */
export function hartConfig(model: CpuModel, props: CpuProps, index: number): HartConfig {
  const ext = extensions(model, props);
  const paging = ext.s ? pagingOf(model, props) : "none";
  return {
    xlen: model.xlen,
    hartid: props.hartid ?? index,
    ext,
    paging,
    pmp: props.pmp ?? true,
    debug: props.debug,
    pmuCounters: props["pmu-num"] ?? 0,
    priv: props.priv_spec ? PRIV_SPEC[props.priv_spec] : model.priv,
    mvendorid: props.mvendorid | 0,
    marchid: halves(props.marchid),
    mimpid: halves(props.mimpid),
    resetVector: halves(props.resetvec),
    cbomBlock: blockSize("cbom_blocksize", props.cbom_blocksize ?? 64),
    cbozBlock: blockSize("cboz_blocksize", props.cboz_blocksize ?? 64),
  };
}

function extensions(model: CpuModel, props: CpuProps): Extensions {
  const { letters } = model;
  const general = props.g === true;
  const on = (name: (typeof EXTENSION_NAMES)[number]): boolean => {
    if (general && ["m", "a", "f", "d", "zicsr", "zifencei"].includes(name)) return true;
    if (name.length === 1 && letters !== undefined) return letters.includes(name);
    if (name === "zicsr") return props.Zicsr ?? true;
    if (name === "zifencei") return props.Zifencei ?? true;
    if (name === "zihintpause") return props.Zihintpause ?? false;
    return props[name] ?? false;
  };
  const ext: Record<keyof Extensions, boolean> = Object.fromEntries(EXTENSION_NAMES.map((n) => [n, on(n)])) as never;
  if (props.i === ext.e && props.i !== undefined)
    throw new RiscvError("bad-extension", `CPU ${model.name}: exactly one of the properties i and e must be on`);
  // Without S-mode there is nobody for its timer; it is on by default, so that is no mistake of the user's.
  if (!ext.s) ext.sstc = false;
  for (const [name, needed] of NEEDS)
    for (const other of needed)
      if (ext[name] && !ext[other])
        throw new RiscvError("bad-extension", `CPU ${model.name}: extension ${name} needs ${other}, which is off`);
  return ext;
}

function pagingOf(model: CpuModel, props: CpuProps): PagingMode {
  if (props.mmu === false) return "none";
  if (model.xlen === 32 || !model.flexible) return model.paging;
  if (props.sv39 === false) return "none";
  if (props.sv48 === false) return "sv39";
  return props.sv57 === false ? "sv48" : "sv57";
}

function blockSize(name: string, bytes: number): number {
  if (bytes >= 8 && bytes <= 4096 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw new RiscvError("bad-property", `${name}=${bytes} is not a power of two from 8 to 4096`);
}

/** A number below 2^53 as two i32. */
function halves(value: number): readonly [number, number] {
  return [value | 0, Math.floor(value / 2 ** 32) | 0];
}
