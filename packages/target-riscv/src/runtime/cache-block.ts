/** Cache-block operations. Source: CMO extensions 1.0, chapters 3 and 4. */
import { ENV, LOAD } from "@mimus/tcg";
import { ENVCFG, EXC, PRIV } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { FLAGS, OFF } from "../state.ts";

/** Operations, in bits 31:20 of the instruction. */
const CBO = { INVAL: 0, CLEAN: 1, FLUSH: 2, ZERO: 4 } as const;

/** CBO.INVAL, CBO.CLEAN, CBO.FLUSH: only their permissions matter, there is no cache. CBO.ZERO clears its block. */
export function cacheBlock(hart: Hart, insn: number, lo: number, hi = 0): void {
  const operation = insn >>> 20;
  const { ext } = hart.config;
  const zero = operation === CBO.ZERO;
  if (operation > 4 || operation === 3 || !(zero ? ext.zicboz : ext.zicbom)) return hart.illegal(insn);
  const field = zero ? ENVCFG.CBZE : operation === CBO.INVAL ? ENVCFG.CBIE : ENVCFG.CBCFE;
  const priv = hart.lo(OFF.priv);
  if (priv !== PRIV.M && !(hart.lo(OFF.menvcfg) & field)) return hart.illegal(insn);
  if (priv === PRIV.U && ext.s && !(hart.lo(OFF.senvcfg) & field)) return hart.illegal(insn);
  const mmu = (hart.lo(ENV.tbFlags) >> FLAGS.mmuShift) & 3;
  const { engine, env } = hart;
  if (!zero) return touch(hart, lo, hi, mmu);
  const start = lo & -hart.config.cbozBlock;
  for (let at = 0; at < hart.config.cbozBlock; at += 8) {
    hart.set(ENV.scratch, 0, 0);
    if (!engine.store(env, (start + at) | 0, hi, 8, mmu)) return;
  }
}

/** A block may be managed where it may be loaded or stored; when it may not, the fault is a store's (CMO 1.0, 2.5.2). */
function touch(hart: Hart, lo: number, hi: number, mmu: number): void {
  if (hart.walker.translate(lo, hi, LOAD, mmu, 1, hart.walker.probe)) return;
  const cause = hart.lo(ENV.exception) - 1;
  hart.setLo(ENV.exception, 1 + (cause === EXC.LOAD_PAGE ? EXC.STORE_PAGE : EXC.STORE_ACCESS));
}
