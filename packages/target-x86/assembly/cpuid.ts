/** CPUID for leaves that src/system/cpuid.ts has answered before, and keeps. Source: Intel SDM volume 2 (2023), CPUID. */

// Layout of the state block: OFF of src/state.ts. src/system/fast.ts compares them.
const AX: u32 = 128;
const CX: u32 = 136;
const DX: u32 = 144;
const BX: u32 = 152;
const CR4: u32 = 344;
const KEPT: u32 = 3592;

const CR4_OSXSAVE: u32 = 1 << 18;
/** OSXSAVE of leaf 1 in ECX, which shows what CR4 has. */
const OSXSAVE: u32 = 1 << 27;

/** @returns whether the leaf in EAX is kept; then the answer is in the registers */
export function cpuid(env: u32): i32 {
  const leaf = load<u32>(env + AX);
  const at = env + KEPT + ((leaf ^ (leaf >> 28)) & 15) * 24;
  if (load<u32>(at) != leaf || load<u32>(at + 4) == 0) return 0;
  let ecx = load<u32>(at + 16);
  if (leaf == 1) ecx = (load<u32>(env + CR4) & CR4_OSXSAVE) != 0 ? ecx | OSXSAVE : ecx & ~OSXSAVE;
  store<u64>(env + AX, load<u32>(at + 8));
  store<u64>(env + BX, load<u32>(at + 12));
  store<u64>(env + CX, ecx);
  store<u64>(env + DX, load<u32>(at + 20));
  return 1;
}
