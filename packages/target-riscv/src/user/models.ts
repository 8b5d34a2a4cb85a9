/** `-cpu` of user mode: models and extensions, without the schemas of machine mode, which cost time to load. */
import { EXTENSION_NAMES, type HartConfig } from "../config.ts";
import { RiscvError } from "../errors.ts";
import { hartConfig, MODELS } from "../models.ts";
import type { CpuModel, CpuProps } from "../props.ts";

/** Extensions that flexible models have unless told otherwise. */
const ON = ["m", "a", "f", "d", "c", "s", "u", "zicsr", "zifencei", "zihintpause", "zba", "zbb", "zbc", "zbs", "sstc"];
/** Extensions whose property is spelled with a capital letter. */
const spelled = (name: string): string =>
  ["zicsr", "zifencei", "zihintpause"].includes(name) ? `Z${name.slice(1)}` : name;
/** Version that marchid and mimpid show. */
const VERSION = 0x70216;

/** The default model. */
export const DEFAULT_CPU = "rv64";

/** The models of a register width. */
export function userModels(xlen: 32 | 64): readonly CpuModel[] {
  return MODELS.filter((model) => model.xlen === xlen && (model.letters === undefined || model.letters.includes("a")));
}

/** The hart that a `-cpu` value means. @throws RiscvError for an unknown model or property */
export function userConfig(xlen: 32 | 64, text: string): HartConfig {
  const [name = "", ...given] = text.split(",");
  const models = userModels(xlen);
  const model = models.find((m) => m.name === name);
  if (model === undefined)
    throw new RiscvError(
      "bad-property",
      `unknown CPU model '${name}' for riscv${xlen}; there are: ${models.map((m) => m.name).join(", ")}`,
    );
  const props: Record<string, unknown> = {
    debug: true,
    mvendorid: 0,
    marchid: VERSION,
    mimpid: VERSION,
    resetvec: 0x1000,
  };
  if (model.flexible) {
    props["pmu-num"] = 16;
    for (const ext of EXTENSION_NAMES) props[spelled(ext)] = ON.includes(ext);
  }
  for (const item of given.filter((part) => part !== "")) set(model, props, item);
  return hartConfig(model, props as CpuProps, 0);
}

function set(model: CpuModel, props: Record<string, unknown>, item: string): void {
  const [key = "", value = "on"] = /^[+-]/.test(item)
    ? [item.slice(1), item.startsWith("+") ? "on" : "off"]
    : item.split("=");
  const name = spelled(key.toLowerCase());
  if (!model.flexible || !(name in props) || typeof props[name] !== "boolean" || name === "debug")
    throw new RiscvError(
      "bad-property",
      model.flexible
        ? `CPU ${model.name} has no property '${key}' in user mode; there are: ${EXTENSION_NAMES.join(", ")}`
        : `CPU ${model.name} has no choice of extensions, so '${key}' can't be set`,
    );
  if (!["on", "off", "true", "false", "yes", "no"].includes(value))
    throw new RiscvError("bad-property", `${key}=${value}: expected on or off`);
  props[name] = value === "on" || value === "true" || value === "yes";
}
