/** Names of the feature bits of CPUID. Source: Intel SDM volume 2 (2023), CPUID; AMD APM volume 3 (2023), appendix E; the names are QEMU's. */

/** A word of feature bits: where CPUID (or an MSR) has it, and the names from bit 0 up; "-": no name. */
export interface FeatureWord {
  readonly key: string;
  /** Leaf and subleaf; an MSR's number for `register: "msr"`. */
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: "eax" | "ebx" | "ecx" | "edx" | "msr";
  readonly names: readonly string[];
}

function word(leaf: number, subleaf: number, register: FeatureWord["register"], names: string): FeatureWord {
  return { key: `${leaf.toString(16)}.${subleaf}.${register}`, leaf, subleaf, register, names: names.split(" ") };
}

/** Every word. */
export const FEATURE_WORDS: readonly FeatureWord[] = [
  word(1, 0, "edx",
    "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - ds acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"),
  word(1, 0, "ecx",
    "pni pclmulqdq dtes64 monitor ds-cpl vmx smx est tm2 ssse3 cid - fma cx16 xtpr pdcm - pcid dca sse4.1 sse4.2 x2apic movbe popcnt tsc-deadline aes xsave - avx f16c rdrand hypervisor"),
  word(7, 0, "ebx",
    "fsgsbase tsc-adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm - - mpx - avx512f avx512dq rdseed adx smap avx512ifma pcommit clflushopt clwb intel-pt avx512pf avx512er avx512cd sha-ni avx512bw avx512vl"),
  word(7, 0, "ecx",
    "- avx512vbmi umip pku - waitpkg avx512vbmi2 - gfni vaes vpclmulqdq avx512vnni avx512bitalg - avx512-vpopcntdq - la57 - - - - - rdpid - bus-lock-detect cldemote - movdiri movdir64b - sgxlc pks"),
  word(7, 0, "edx",
    "- - avx512-4vnniw avx512-4fmaps fsrm - - - avx512-vp2intersect - md-clear - - - serialize - tsx-ldtrk - - arch-lbr - - amx-bf16 avx512-fp16 amx-tile amx-int8 spec-ctrl stibp - arch-capabilities core-capability ssbd"),
  word(7, 1, "eax", "- - - - avx-vnni avx512-bf16"),
  word(0x80000001, 0, "edx",
    "- - - - - - - - - - - syscall - - - - - - - - nx - mmxext - - fxsr-opt pdpe1gb rdtscp - lm 3dnowext 3dnow"),
  word(0x80000001, 0, "ecx",
    "lahf-lm cmp-legacy svm extapic cr8legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid-msr - tbm topoext perfctr-core perfctr-nb"),
  word(0x80000007, 0, "edx", "- - - - - - - - invtsc"),
  word(0x80000008, 0, "ebx",
    "clzero - xsaveerptr - - - - - - wbnoinvd - - ibpb - ibrs amd-stibp - - - - - - - - amd-ssbd virt-ssbd amd-no-ssb"),
  word(0xc0000001, 0, "edx", "- - xstore xstore-en - - xcrypt xcrypt-en ace2 ace2-en phe phe-en pmm pmm-en"),
  word(0x8000000a, 0, "edx",
    "npt lbrv svm-lock nrip-save tsc-scale vmcb-clean flushbyasid decodeassists - - pause-filter - pfthreshold avic - v-vmsave-vmload vgif - - - - - - - - - - - svme-addr-chk"),
  word(0xd, 1, "eax", "xsaveopt xsavec xgetbv1 xsaves xfd"),
  word(6, 0, "eax", "- - arat"),
  word(0x10a, 0, "msr", "rdctl-no ibrs-all rsba skip-l1dfl-vmentry ssb-no mds-no pschange-mc-no tsx-ctrl taa-no"),
  word(0xcf, 0, "msr", "- - - - - split-lock-detect"),
]; // prettier-ignore

/** Every name of a feature, in the order of the words. */
export const FEATURE_NAMES: readonly string[] = FEATURE_WORDS.flatMap((w) => w.names).filter((n) => n !== "-");

/** Second names of features. */
const SECOND: Readonly<Record<string, string>> = {
  i64: "lm", xd: "nx", sse3: "pni", ffxsr: "fxsr-opt", pclmuldq: "pclmulqdq", "sse4-1": "sse4.1", "sse4-2": "sse4.2",
}; // prettier-ignore
const KNOWN: ReadonlySet<string> = new Set(FEATURE_NAMES);

/** The name of the feature that a property means: `sse4_2` is `sse4.2`; undefined: none. */
export function featureOf(property: string): string | undefined {
  const name = property.replaceAll("_", "-");
  const real = SECOND[name] ?? name;
  return KNOWN.has(real) ? real : undefined;
}

/** Names of properties that mean features, second names included. */
export const FEATURE_PROPERTIES: readonly string[] = [
  ...FEATURE_NAMES,
  ...Object.keys(SECOND),
  ...FEATURE_NAMES.filter((n) => n.includes("-")).map((n) => n.replaceAll("-", "_")),
  "sse4_1",
  "sse4_2",
];

/** How QEMU names a bit in its warnings: `CPUID.01H:ECX.pcid [bit 17]`. */
export function bitName(feature: string): string {
  for (const w of FEATURE_WORDS) {
    const bit = w.names.indexOf(feature);
    if (bit < 0) continue;
    const leaf = w.leaf.toString(16).toUpperCase().padStart(2, "0");
    if (w.register === "msr") return `MSR(${leaf}H).${feature} [bit ${bit}]`;
    return `CPUID.${leaf}H:${w.register.toUpperCase()}.${feature} [bit ${bit}]`;
  }
  return feature;
}

/** The bits of a word that are on. */
export function bitsOf(w: FeatureWord, features: ReadonlySet<string>): number {
  let bits = 0;
  for (let n = 0; n < w.names.length; n++) if (features.has(w.names[n]!)) bits |= 1 << n;
  return bits;
}
