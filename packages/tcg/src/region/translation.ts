/** Blocks of a region one after the other: the locals they share, and TLB entries shared by accesses through one base. */
import type { Helper } from "../exec/contract.ts";
import type { Block, Op } from "../ir/block.ts";
import { resultType } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { Value } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { DEAD } from "../wasm/analysis.ts";
import type { Analysis } from "../wasm/analysis.ts";
import { BlockCompiler } from "../wasm/block-compiler.ts";
import { ENVP, noLocals } from "../wasm/block-emitter.ts";
import { I32, I64, W } from "../wasm/encode.ts";
import { emitFromI64, emitLoad, emitStore, emitToI64, log2Bytes, VALUE_TYPE } from "../wasm/memory-ops.ts";

/** High half of a page that no guest address lies near: it is in the middle of those that no page table can map. */
const NO_PAGE_HIGH = 0x40000000;

/** Locals that hold what a TLB entry said: the page ({@link NO_PAGE_HIGH}: nothing), and what leads from there to the host address. */
interface Shared {
  readonly page: number;
  readonly addend: number;
  /** Also for stores: a page that may be stored to may be loaded from. */
  readonly stores: boolean;
}

/** Accesses of a block through one base that are still to come. */
interface ToCome {
  loads: number;
  stores: number;
}

/** Emits blocks into one function. */
export abstract class TranslationEmitter extends BlockCompiler {
  /** Locals for values of a block, by type; another block uses them again. */
  readonly #pool: Map<number, number[]> = new Map();
  readonly #used: Map<number, number> = new Map();
  /** By base. */
  readonly #toCome: Map<number, ToCome> = new Map();
  /** By base: the entry noted last. */
  readonly #shared: Map<number, Shared> = new Map();
  #depth = -1;

  protected abstract storeBudget(): void;
  protected abstract loadBudget(): void;

  protected startRegion(first: Block): void {
    this.start(first, { labels: [] } as unknown as Analysis, 0);
    this.#pool.clear();
    this.#depth = -1;
  }

  protected startBlock(block: Block, a: Analysis, tb: number): void {
    this.block = block;
    this.a = a;
    this.tb = tb;
    this.valueLocal = noLocals(this.valueLocal, block.ops.length);
    this.depth = 0;
    this.placed = 0;
    this.labelOrder = [];
    a.labels.forEach((l, i) => (this.labelOrder[l] = i));
    this.site = 0;
    this.#used.clear();
    this.#shared.clear();
    this.#toCome.clear();
    for (const op of block.ops) {
      const key = this.#shareKey(op);
      if (key < 0) continue;
      const all = this.#toCome.get(key) ?? { loads: 0, stores: 0 };
      this.#toCome.set(key, all);
      if (op.spec === ops.ld) all.loads++;
      else all.stores++;
    }
  }

  /** Nothing that TLB entries said before holds for certain. */
  protected forgetShared(): void {
    this.#shared.clear();
  }

  /** The local that keeps `env.depth` over a guest call. */
  protected depthLocal(): number {
    return this.#depth >= 0 ? this.#depth : (this.#depth = this.local(I32, "depth"));
  }

  protected override define(op: Op, i: number): void {
    if (this.a.kind[i] === DEAD) return this.code.op(W.drop);
    this.code.set((this.valueLocal[i] = this.pooled(VALUE_TYPE[resultType(op)])));
  }

  /** A local that the block has to itself. */
  protected pooled(type: number): number {
    const pool = this.#pool.get(type) ?? [];
    this.#pool.set(type, pool);
    const n = this.#used.get(type) ?? 0;
    this.#used.set(type, n + 1);
    return (pool[n] ??= this.local(type));
  }

  // What calls of the runtime need: the budget in the state block, and back.

  protected override setSite(): void {
    super.setSite();
    this.storeBudget();
  }

  protected override checkFault(i: number, inside: number): void {
    this.loadBudget();
    super.checkFault(i, inside);
  }

  protected override call(op: Op, i: number): void {
    const { mayFault, counts, impl } = op.helper as Helper;
    const sync = mayFault !== true && (impl.kind === "js" || counts === true);
    if (sync) this.storeBudget();
    super.call(op, i);
    if (sync) this.loadBudget();
    this.#shared.clear();
  }

  /** What accesses that may share a TLB entry have in common; -1 for others. */
  #shareKey(op: Op): number {
    if ((op.spec !== ops.ld && op.spec !== ops.st) || MEM_OPS[op.mem].bytes > 8) return -1;
    const address = this.block.ops[op.a]!;
    const near = address.spec === ops.add && this.block.ops[address.b]!.spec === ops.const;
    const base: Value = near ? address.a : op.a;
    return base * 8 + op.imm;
  }

  /** The entry that an access may look at first, or notes for those to come. */
  #share(op: Op): { shared: Shared | undefined; follows: boolean } {
    const key = this.#shareKey(op);
    if (key < 0) return { shared: undefined, follows: false };
    const isLoad = op.spec === ops.ld;
    const left = this.#toCome.get(key)!;
    if (isLoad) left.loads--;
    else left.stores--;
    const known = this.#shared.get(key);
    if (known !== undefined && (isLoad || known.stores)) return { shared: known, follows: true };
    if (left.loads + left.stores === 0) return { shared: undefined, follows: false };
    const stores = !isLoad || left.stores > 0;
    const shared = { page: this.pooled(I64), addend: this.pooled(I32), stores };
    this.#shared.set(key, shared);
    return { shared, follows: false };
  }

  /** Pushes whether an access lies, aligned or of a target that need not, in the page of a shared entry. */
  #pushSame(address: number, bytes: number, { page }: Shared): void {
    const { code } = this;
    code.get(address);
    if (this.target.unaligned) {
      code.get(page);
      code.op(W.i64Sub);
      code.i64(4097 - bytes, 0);
      code.op(W.i64LtU);
      return;
    }
    code.i64(-4096 | (bytes - 1), -1);
    code.op(W.i64And);
    code.get(page);
    code.op(W.i64Eq);
  }

  /** Pushes the host address by a shared entry. */
  #pushHost(address: number, { addend }: Shared): void {
    this.code.get(address);
    this.code.op(W.i32WrapI64);
    this.code.get(addend);
    this.code.op(W.i32Add);
  }

  /** After a hit: notes the entry, and pushes the host address. */
  #pushNoted(address: number, mmu: number, { page, addend }: Shared): void {
    const { code } = this;
    code.get(address);
    code.i64(-4096, -1);
    code.op(W.i64And);
    code.set(page);
    code.get(address);
    code.op(W.i32WrapI64);
    code.get(this.temp("entry"));
    code.mem(W.i32Load, this.tlbOffset(mmu) + 24, 2);
    code.tee(addend);
    code.op(W.i32Add);
  }

  #forget({ page }: Shared): void {
    this.code.i64(0, NO_PAGE_HIGH);
    this.code.set(page);
  }

  protected override loadThroughTlb(op: Op, i: number): void {
    const { shared, follows } = this.#share(op);
    if (shared === undefined) return super.loadThroughTlb(op, i);
    const { code } = this;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    if (follows) this.#pushSame(address, bytes, shared);
    else this.tlbHit(address, bytes, op.imm, shared.stores ? 8 : 0);
    code.mostly();
    code.if(VALUE_TYPE[op.type]);
    if (follows) this.#pushHost(address, shared);
    else this.#pushNoted(address, op.imm, shared);
    emitLoad(code, op.type, op.mem, 0);
    code.else();
    this.setSite();
    if (!follows) this.#forget(shared);
    this.callLoad(op, address, 0);
    emitFromI64(code, op.type, op.mem);
    this.checkFault(i, 1);
    code.end();
  }

  protected override store(op: Op, i: number): void {
    const { shared, follows } = this.#share(op);
    if (shared === undefined) return super.store(op, i);
    const { code } = this;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    if (follows) this.#pushSame(address, bytes, shared);
    else this.tlbHit(address, bytes, op.imm, 8);
    code.mostly();
    code.if();
    if (follows) this.#pushHost(address, shared);
    else this.#pushNoted(address, op.imm, shared);
    this.push(op.b);
    emitStore(code, op.type, bytes, 0);
    code.else();
    this.setSite();
    if (!follows) this.#forget(shared);
    code.get(ENVP);
    code.get(address);
    this.push(op.b);
    emitToI64(code, op.type);
    code.i32(log2Bytes(op.mem) | (op.imm << 4));
    code.call(this.imports.call("store"));
    this.checkFault(i, 1);
    code.end();
  }
}
