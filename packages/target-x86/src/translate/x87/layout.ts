/** Fields of the state block that belong to the x87 alone, in bytes; the WebAssembly module has the same numbers. */
import { OFF } from "../../state.ts";

export const X87 = {
  /** 4: what a store leaves behind: the status word to come, whether the store is refused, the upper half of ten bytes. */
  status: OFF.float,
  refused: OFF.float + 4,
  high: OFF.float + 8,
  /** 4: bit 0: FERR# is asserted; bit 1: IGNNE# is. */
  error: OFF.float + 12,
} as const;
