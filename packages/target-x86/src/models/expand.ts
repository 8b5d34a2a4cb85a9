/** From a model and properties to a CPU. */
import type { X86Config } from "../config.ts";
import { X86Error } from "../errors.ts";
import type { WordSize } from "../state.ts";
import { hasSubleaves, makeCpuid, type Identity } from "./cpuid.ts";
import { MODEL_ALIASES, MODEL_DATA, TRANSLATED } from "./data.ts";
import { bitName, FEATURE_NAMES, FEATURE_WORDS, featureOf } from "./features.ts";
import type { ModelData } from "./model.ts";
import type { CpuProps } from "./props.ts";

const BY_NAME: ReadonlyMap<string, ModelData> = new Map(MODEL_DATA.map((m) => [m.name, m]));

/** The model of a name with or without version; undefined: there is none. */
export function findModel(name: string): ModelData | undefined {
  return BY_NAME.get(MODEL_ALIASES[name] ?? name);
}

/** Features that a model asks for. */
function modelFeatures(model: ModelData): Set<string> {
  const words = model.features.split(" ").filter((w) => w !== "");
  if (model.base === undefined) return new Set(words);
  const features = modelFeatures(BY_NAME.get(model.base)!);
  for (const w of words)
    if (w.startsWith("-")) features.delete(w.slice(1));
    else features.add(w.slice(1));
  return features;
}

const TRANSLATED_SET: ReadonlySet<string> = new Set(TRANSLATED.split(" "));
/** What a CPU of 32 bits does not have of it. */
const ONLY_64: ReadonlySet<string> = new Set(["lm", "syscall"]);
/** What this program can do beyond QEMU's translator: there for who asks for it by name. */
const BEYOND: ReadonlySet<string> = new Set([
  "vme",
  "pcid",
  "invpcid",
  "rdseed",
  "sha-ni",
  "rdpid",
  "x2apic",
  "tsc-deadline",
  "tsc-adjust",
  "3dnowprefetch",
  "fsrm",
  "xsavec",
  "xsaves",
]);

/** Leaves that a feature needs, when levels are not set by hand. */
function levels(features: ReadonlySet<string>, level: number, xlevel: number): [number, number] {
  for (const w of FEATURE_WORDS) {
    if (w.register === "msr" || !w.names.some((n) => features.has(n))) continue;
    if (w.leaf < 0x4000_0000) level = Math.max(level, w.leaf);
    else if (w.leaf < 0xc000_0000) xlevel = Math.max(xlevel, w.leaf);
  }
  if (features.has("xsave")) level = Math.max(level, 13);
  if (features.has("svm")) xlevel = Math.max(xlevel, 0x8000_000a);
  return [level, xlevel];
}

/** Where a CPU stands in the machine. */
export interface CpuPlace {
  readonly index: number;
  /** CPUs of the machine. */
  readonly cpus: number;
  /** Threads of a core, cores of a socket; default: all CPUs are cores of one. */
  readonly threads?: number;
  readonly cores?: number;
}

/** The CPU that a model makes of its properties. `warn` gets what cannot be had, as QEMU says it. @throws X86Error */
export function x86Config(
  model: ModelData, props: CpuProps, word: WordSize, place: CpuPlace, warn: (text: string) => void,
): X86Config {
  const asked = new Map<string, boolean>();
  for (const [name, value] of Object.entries(props)) {
    const feature = typeof value === "boolean" ? featureOf(name) : undefined;
    if (feature !== undefined) asked.set(feature, value as boolean);
  }
  const features = modelFeatures(model);
  for (const [feature, on] of asked)
    if (on) features.add(feature);
    else features.delete(feature);
  const [level, xlevel] = levels(features, props.level ?? model.level, props.xlevel ?? model.xlevel);
  const wanted = new Set(features);
  const missing: string[] = [];
  for (const feature of FEATURE_NAMES) {
    if (!features.has(feature)) continue;
    const can = (TRANSLATED_SET.has(feature) && (word === 64 || !ONLY_64.has(feature))) || (asked.get(feature) === true && BEYOND.has(feature));
    if (!can) missing.push(feature);
  }
  for (const feature of missing) {
    features.delete(feature);
    // The CPU with everything is what there can be: nobody asked for what it lacks.
    if (model.name === "max" && asked.get(feature) !== true) continue;
    if (props.check || props.enforce) warn(`TCG doesn't support requested feature: ${bitName(feature)}`);
  }
  if (props.enforce && missing.length > 0)
    throw new X86Error("bad-feature", "Host doesn't support requested features");
  const lm = features.has("lm");
  const physBits = lm ? props["phys-bits"] || 40 : features.has("pse36") ? 36 : 32;
  const apicId = props["apic-id"] ?? place.index;
  const vendor = props.vendor ?? model.vendor;
  const threads = place.threads ?? 1;
  const cores = place.cores ?? place.cpus;
  // The CPU with everything is of an older family where it has 32 bits.
  const old = word === 32 && model.name === "max";
  const identity: Identity = {
    name: model.name,
    vendor,
    family: props.family ?? (old ? 6 : model.family),
    model: props.model ?? (old ? 6 : model.model),
    stepping: props.stepping ?? (old ? 3 : model.stepping),
    level: props.level ?? level,
    xlevel: props.xlevel ?? xlevel,
    modelId: props["model-id"] ?? model.modelId,
    ownCache: model.ownCache === true && props["legacy-cache"] !== true,
    features,
    asked: wanted,
    physBits,
    apicId,
    threads,
    cores,
    signature: props["tcg-cpuid"],
  };
  return {
    word,
    features,
    apicId,
    bootstrap: place.index === 0,
    physBits,
    intel: vendor === "GenuineIntel",
    topology: { threads, cores, alone: place.cpus === 1 },
    microcode: vendor === "AuthenticAMD" ? [0x0100_0065, 0] : [0, 1],
    cpuid: makeCpuid(identity),
    subleaves: (leaf) => hasSubleaves(identity, leaf),
  };
} // prettier-ignore
