import { ATTR, ATTR_MODE } from "./registers.ts";
import type { VgaState } from "./state.ts";

/** The 256 colours of the DAC as pixels of a surface. `dac8`: 8 bits a component instead of 6. */
export function dacColors(s: VgaState, dac8: boolean, into: Uint32Array): void {
  for (let n = 0; n < 256; n++) {
    const at = 3 * (n & s.dacMask);
    into[n] = (part(s.dac[at]!, dac8) << 16) | (part(s.dac[at + 1]!, dac8) << 8) | part(s.dac[at + 2]!, dac8);
  }
}

/** Six bits to eight: the lowest is repeated, so that all ones stay white. QEMU's pictures have the same colours. */
function part(value: number, dac8: boolean): number {
  return dac8 ? value : ((value & 0x3f) << 2) | ((value & 1) * 3);
}

/** The 16 colours of text and planar modes, through the attribute controller's palette. */
export function attributeColors(s: VgaState, dac: Uint32Array, into: Uint32Array): void {
  const { attr } = s;
  const select = attr[ATTR.SELECT]!;
  for (let n = 0; n < 16; n++) {
    const low = attr[n & attr[ATTR.PLANES]!]!;
    const index =
      attr[ATTR.MODE]! & ATTR_MODE.DAC_SELECT
        ? (low & 0x0f) | ((select & 0x0f) << 4)
        : (low & 0x3f) | ((select & 0x0c) << 4);
    into[n] = dac[index]!;
  }
}
