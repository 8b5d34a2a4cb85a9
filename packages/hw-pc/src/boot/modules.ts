import type { Piece } from "./image.ts";

/** Modules begin at pages. */
export const MODULE_ALIGN = 4096;

/** Where a module lies: first address, and the one after its last byte. */
export interface PlacedModule {
  readonly start: number;
  readonly end: number;
  readonly line: string;
}

/** Modules one behind the other from `base` on, as one piece. */
export function joinModules(
  modules: readonly { readonly bytes: Uint8Array; readonly line: string }[],
  base: number,
): { piece: Piece | undefined; list: PlacedModule[] } {
  const list: PlacedModule[] = [];
  let at = base;
  for (const { bytes, line } of modules) {
    list.push({ start: at, end: at + bytes.length, line });
    at = Math.ceil((at + bytes.length) / MODULE_ALIGN) * MODULE_ALIGN;
  }
  if (list.length === 0) return { piece: undefined, list };
  const bytes = new Uint8Array(at - base);
  for (const [i, module] of modules.entries()) bytes.set(module.bytes, list[i]!.start - base);
  return { piece: { address: base, bytes }, list };
}
