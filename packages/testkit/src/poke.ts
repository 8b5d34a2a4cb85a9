import { type Device, type AddressSpace, MemoryRegion } from "@mimus/machine-core";
import { Seeded } from "./random.ts";

const EXTREMES: readonly number[] = [0, 0xffffffff, 1, 0x80000000, 0x7fffffff, 0x55555555, 0xaaaaaaaa, 0x80001000];
const SIZES = [1, 2, 4] as const;
const WHOLE = 0x400;

/** Offsets of a region worth trying: all of a small one; both ends and a scattering of a large one. */
export function offsetsOf(region: MemoryRegion, random: Seeded): number[] {
  const offsets: Set<number> = new Set();
  for (let at = 0; at < Math.min(region.size, WHOLE); at++) offsets.add(at);
  for (let at = Math.max(0, region.size - 16); at < region.size; at++) offsets.add(at);
  for (let at = WHOLE; at < region.size; at *= 2) for (const near of [-4, 0, 4]) offsets.add(Math.max(0, at + near));
  if (region.size > WHOLE) for (let n = 0; n < 256; n++) offsets.add(random.below(Math.min(region.size, 0xffffffff)));
  return [...offsets].filter((at) => at < region.size).toSorted((a, b) => a - b);
}

/** Does a guest's worst to every mapped region of a device: each offset and size, extreme values. Returns what is wrong. */
export function pokeRegisters(device: Device, space: AddressSpace, seed = 1): string[] {
  const random = new Seeded(seed);
  const wrong: string[] = [];
  const wide = new Uint32Array(2);
  for (const [n, region] of device.regions.entries()) {
    if (region.parent !== space.root) continue;
    const base = region.offset;
    const attempt = (what: string, at: number, act: () => void): void => {
      try {
        act();
      } catch (error) {
        if (wrong.length < 20)
          wrong.push(`region ${n} (${region.name}): ${what} at offset 0x${at.toString(16)} threw ${String(error)}`);
      }
    };
    const readAll = (at: number): void => {
      for (const size of SIZES)
        attempt(`${size}-byte read`, at, () => {
          const value = space.read(base + at, size);
          if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size))
            throw new RangeError(`the value ${value}, which is no unsigned ${8 * size}-bit number`);
        });
      if (at + 8 <= region.size && at % 8 === 0) attempt("8-byte read", at, () => space.readWide(base + at, wide));
    };
    const offsets = offsetsOf(region, random);
    for (const at of offsets) readAll(at);
    for (const at of offsets) {
      const values = at < WHOLE ? EXTREMES : EXTREMES.slice(0, 2);
      for (const value of [...values, random.next()])
        for (const size of SIZES) attempt(`${size}-byte write`, at, () => space.write(base + at, size, value));
      if (at + 8 <= region.size && at % 8 === 0) {
        attempt("8-byte write", at, () => space.writeWide(base + at, 0xffffffff, 0xffffffff));
        attempt("8-byte write", at, () => space.writeWide(base + at, random.next(), random.next()));
      }
      readAll(at);
    }
    for (let n2 = 0; n2 < 500 && offsets.length > 0; n2++) {
      const at = offsets[random.below(offsets.length)]!;
      const size = SIZES[random.below(3)]!;
      const value = random.below(4) === 0 ? random.below(64) : random.next();
      if (random.below(2) === 0) attempt(`${size}-byte read`, at, () => space.read(base + at, size));
      else attempt(`${size}-byte write`, at, () => space.write(base + at, size, value));
    }
  }
  return wrong;
}
