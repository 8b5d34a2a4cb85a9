import type { Translators } from "@mimus/decodetree";
import type { zicbom, zicboz } from "../decode/zicbo.ts";
import type { Block } from "./block.ts";

function cacheBlock(b: Block, { rs1 }: { readonly rs1: number }): void {
  b.ir.call("cbo", b.ir.const32(b.bits), b.x(rs1));
}

/** Source: CMO extensions 1.0, ch. 3. */
export const translateZicbom: Translators<Block, typeof zicbom.insns> = {
  cbo_inval: cacheBlock,
  cbo_clean: cacheBlock,
  cbo_flush: cacheBlock,
};
export const translateZicboz: Translators<Block, typeof zicboz.insns> = {
  cbo_zero: cacheBlock,
};
