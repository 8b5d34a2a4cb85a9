/** Accesses through one base that lie in one page: the first looks at the TLB for all, the others know where their bytes are. */
import { PROBE_STORE } from "../exec/descriptor.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { MEM_OPS } from "../ir/type.ts";
import type { Analysis } from "../wasm/analysis.ts";
import { ENVP } from "../wasm/block-emitter.ts";
import { I32, W } from "../wasm/encode.ts";
import { emitLoad, emitStore, log2Bytes } from "../wasm/memory-ops.ts";
import type { RegionSettings } from "./region-compiler.ts";
import { APART, meet, moved, NOWHERE, rounded, serves } from "./span.ts";
import type { At, Place, Span, Wanted } from "./span.ts";
import { atEntry, forgets } from "./span-plan.ts";
import type { BlockSpans, LoopSpans } from "./span-plan.ts";
import { TranslationEmitter } from "./translation.ts";

/** In a site number: the instruction was not begun, the interpreter has to do it. */
export const UNCOMMON = 0x8000;

/** What is known at one point of a block. */
interface Knowledge {
  /** By base. */
  readonly spans: Map<number, Span>;
  /** Globals that hold something else than where the block began; undefined: it is not known what. */
  readonly globals: Map<number, Place | undefined>;
}

/** Emits loads and stores. */
export abstract class SpanEmitter extends TranslationEmitter {
  /** Guest addresses are translated: else there is no page to know. */
  readonly #translated: boolean;
  protected readonly isSlowSite: (tb: number, site: number) => boolean;
  #of: BlockSpans | undefined;
  #known: Knowledge = { spans: new Map(), globals: new Map() };
  readonly #atLabel: Map<number, Knowledge> = new Map();
  /** By node: what is known of globals on all ways there so far. */
  readonly #arriving: Map<number, Map<number, Span>> = new Map();
  /** By global: the local of the spans that it is the base of. */
  readonly #hosts: Map<number, number> = new Map();
  /** Globals whose spans the loop around the block carries: their locals are not to change. */
  readonly #carried: Set<number> = new Set();
  /** The instruction that has accessed something that need not be RAM: it must not be left any more, or it would do that twice. */
  #begun = -1;

  constructor(settings: RegionSettings) {
    super(settings.imports, settings.target, settings.pcGlobal, settings.effects);
    this.#translated = settings.direct === undefined;
    this.isSlowSite = settings.isSlowSite;
  }

  protected override startRegion(first: Block): void {
    super.startRegion(first);
    this.#arriving.clear();
    this.#hosts.clear();
  }

  /** The next block's accesses, as the plan has them. */
  protected useSpans(spans: BlockSpans | undefined): void {
    this.#of = spans;
  }

  protected override startBlock(block: Block, a: Analysis, tb: number): void {
    super.startBlock(block, a, tb);
    this.#atLabel.clear();
    this.#begun = -1;
    this.forgetReach();
  }

  /** Registers are not what they were. */
  protected forgetReach(): void {
    this.#known = { spans: new Map(), globals: new Map() };
  }

  /** Code goes to a node from here. */
  protected leaveForNode(node: number): void {
    if (!this.#translated) return;
    const here = this.#ofGlobals();
    const known = this.#arriving.get(node);
    this.#arriving.set(node, known === undefined ? here : meet(known, here));
  }

  /** A node begins that is reached by the ways already emitted alone. */
  protected arriveAtNode(node: number): void {
    for (const [g, span] of this.#arriving.get(node) ?? []) this.#known.spans.set(atEntry(g), span);
  }

  /** What is known of globals, in locals that no other block uses for something else. */
  #ofGlobals(): Map<number, Span> {
    const { spans, globals } = this.#known;
    const out = new Map<number, Span>();
    const note = (g: number, { key, by }: Place): void => {
      const span = spans.get(key);
      const there = span === undefined ? undefined : moved(span, by);
      if (there !== undefined && this.#lasts(there)) out.set(g, there);
    };
    for (const [g, place] of globals) if (place !== undefined) note(g, place);
    for (const key of spans.keys()) if (key < 0 && !globals.has(-1 - key)) note(-1 - key, { key, by: 0 });
    return out;
  }

  #lasts({ host }: Span): boolean {
    return host === NOWHERE || [...this.#hosts.values()].includes(host);
  }

  protected override operation(op: Op, i: number): void {
    const { spec } = op;
    if (spec === ops.br || spec === ops.brcond) this.#leaveFor(op.imm);
    super.operation(op, i);
    if (spec === ops.set) this.#known.globals.set(op.imm, this.#of?.place(op.a));
  }

  #leaveFor(label: number): void {
    const { spans, globals } = this.#known;
    const there = this.#atLabel.get(label);
    this.#atLabel.set(label, there === undefined ? { spans: new Map(spans), globals: new Map(globals) } : merge(there, this.#known));
  } // prettier-ignore

  /** A label that can be reached is placed; `falls`: also from the code above. */
  protected override placeLabel(label: number, falls: boolean): void {
    this.forgetShared();
    const there = this.#atLabel.get(label);
    if (there !== undefined) this.#known = falls ? merge(there, this.#known) : there;
  }

  protected override call(op: Op, i: number): void {
    super.call(op, i);
    const { spans, globals } = this.#known;
    const { writes } = this.effects(op.helper!);
    if (writes === "all") this.block.globals.forEach((_, g) => globals.set(g, undefined));
    else for (const g of writes) globals.set(g, undefined);
    if (!forgets(op.helper!)) return;
    spans.clear();
    this.#begun = this.site;
  }

  protected override atomic(op: Op, i: number): void {
    super.atomic(op, i);
    this.#begun = this.site;
  }

  protected override load(op: Op, i: number): void {
    const span = this.#spanFor(op, i);
    if (span === undefined) return super.load(op, i);
    const { code } = this;
    code.get(span.host);
    emitLoad(code, op.type, op.mem, this.#of!.place(op.a).by - span.low);
    this.define(op, i);
  }

  protected override store(op: Op, i: number): void {
    const span = this.#spanFor(op, i);
    if (span === undefined) return super.store(op, i);
    const { code } = this;
    code.get(span.host);
    this.push(op.b);
    emitStore(code, op.type, MEM_OPS[op.mem].bytes, this.#of!.place(op.a).by - span.low);
  }

  /** The span with the bytes of an access, looked for where it is worth it; undefined: the access looks by itself. */
  #spanFor(op: Op, i: number): Span | undefined {
    if (!this.#translated || this.#of === undefined) return undefined;
    const { spans } = this.#known;
    const { key, by } = this.#of.place(op.a);
    const known = spans.get(key);
    const at: At = {
      offset: by,
      bytes: MEM_OPS[op.mem].bytes,
      write: op.spec === ops.st,
      mmu: op.imm,
      aligned: !this.target.unaligned,
    };
    if (known !== undefined && serves(known, at)) return known;
    const wanted = this.#of.wanted(i, key);
    const alone = wanted === undefined || wanted.count < 2;
    if (this.isSlowSite(this.tb, this.site)) spans.set(key, APART);
    if (alone || this.#begun === this.site || spans.get(key)?.host === NOWHERE) {
      this.#begun = this.site;
      return undefined;
    }
    return this.#look(op, i, wanted);
  }

  /** Looks for a span at its first access; leaves for the interpreter where its bytes do not all lie in one page of RAM. */
  #look(op: Op, i: number, wanted: Wanted): Span {
    const { code } = this;
    const { spans } = this.#known;
    const { key, by } = this.#of!.place(op.a);
    const host = this.#hostFor(key);
    for (const [other, span] of spans) if (span.host === host) spans.delete(other);
    const span = spanAt(host, wanted);
    const first = this.#firstByte(() => this.push(op.a), host, span.low - by);
    this.pushEntry(first, this.target.word);
    code.set(this.temp("entry"));
    this.#pushMiss(first, span);
    code.rarely();
    code.if();
    this.setSite();
    code.get(ENVP);
    code.get(first);
    this.#pushMore(by - span.low);
    if (this.target.word === "i32") code.op(W.i64ExtendI32U);
    code.i32(log2Bytes(op.mem) | (op.spec === ops.st ? PROBE_STORE : 0) | (op.imm << 4));
    code.call(this.imports.call("probe"));
    this.checkFault(i, 1);
    code.i32(this.site | UNCOMMON);
    code.set(this.temp("site"));
    this.#pushMiss(first, span);
    this.uncommonIf(i, 1);
    code.end();
    this.#setHost(first, span);
    spans.set(key, span);
    return span;
  }

  #setHost(first: number, { host, mmu }: Span): void {
    const { code } = this;
    code.get(first);
    if (this.target.word === "i64") code.op(W.i32WrapI64);
    code.get(this.temp("entry"));
    code.mem(W.i32Load, this.tlbOffset(mmu) + 24, 2);
    code.op(W.i32Add);
    code.set(host);
  }

  /**
   * Looks for the spans that a loop carries, on all ways to its header from outside; `leave` leaves the region before the header, where
   * one is not found.
   */
  protected lookBeforeLoop({ header, wanted }: LoopSpans, leave: () => void): void {
    const { code } = this;
    const carried = new Map<number, Span>();
    for (const [g, want] of wanted) {
      const span = spanAt(this.#hostOf(g), want);
      const first = this.#firstByte(() => code.get(this.global(g)), span.host, span.low);
      this.pushEntry(first, this.target.word);
      code.set(this.temp("entry"));
      this.#pushMiss(first, span);
      code.rarely();
      code.if();
      leave();
      code.end();
      this.#setHost(first, span);
      carried.set(g, span);
    }
    this.#arriving.set(header, carried);
  }

  /** The spans of the loop that the next block is in stay where they are. */
  protected useLoop(loop: LoopSpans | undefined): void {
    this.#carried.clear();
    for (const [g] of loop?.wanted ?? []) this.#carried.add(g);
  }

  /** Leaves the address `by` beside another one in the local returned. */
  #firstByte(pushAddress: () => void, host: number, by: number): number {
    pushAddress();
    this.#pushMore(by);
    const local = this.target.word === "i64" ? this.temp("address") : host;
    this.code.set(local);
    return local;
  }

  #pushMore(by: number): void {
    const { code } = this;
    if (by === 0) return;
    if (this.target.word === "i64") code.i64(by, by >> 31);
    else code.i32(by);
    code.op(this.target.word === "i64" ? W.i64Add : W.i32Add);
  }

  /** Pushes whether the entry is not that of a page with the whole span, from its first byte, in a local, on. */
  #pushMiss(first: number, { low, high, align, write, mmu }: Span): void {
    const { code } = this;
    const tag = this.tlbOffset(mmu) + (write ? 8 : 0);
    code.get(this.temp("entry"));
    // Half a tag does for addresses of 32 bits: V8 loads a whole one twice, to compare it in memory.
    code.mem(this.target.word === "i64" ? W.i64Load : W.i64Load32U, tag, 2);
    code.get(first);
    this.#pushMore(high - low - align);
    if (this.target.word === "i64") {
      code.i64(-4096 | (align - 1), -1);
      code.op(W.i64And);
    } else {
      code.i32(-4096 | (align - 1));
      code.op(W.i32And);
      code.op(W.i64ExtendI32U);
    }
    code.op(W.i64Ne);
  }

  /** The local for a base's host address: that of a global which holds it, or one for the block. */
  #hostFor(key: number): number {
    const { globals } = this.#known;
    let global = key < 0 && !globals.has(-1 - key) ? -1 - key : -1;
    for (const [g, place] of globals) if (global < 0 && place?.key === key) global = g;
    return global < 0 || this.#carried.has(global) ? this.pooled(I32) : this.#hostOf(global);
  }

  #hostOf(global: number): number {
    let local = this.#hosts.get(global);
    if (local === undefined)
      this.#hosts.set(global, (local = this.local(I32, `at_${this.block.globals[global]!.name}`)));
    return local;
  }

  /** Leaves before the instruction, which the interpreter will do, if what is on the stack holds; the site is set. */
  protected uncommonIf(i: number, inside: number = 0): void {
    this.code.rarely();
    this.code.brIf(inside + this.depth + this.a.stages.length - 1 - this.a.stage.get(i)!);
  }
}

const spanAt = (host: number, wanted: Wanted): Span => ({
  host,
  ...rounded(wanted),
  align: wanted.align,
  write: wanted.write,
  mmu: wanted.mmu,
});

/** What is known on both ways. */
function merge(a: Knowledge, b: Knowledge): Knowledge {
  const globals = new Map<number, Place | undefined>();
  for (const g of new Set([...a.globals.keys(), ...b.globals.keys()])) {
    const [x, y] = [placeOf(a, g), placeOf(b, g)];
    globals.set(g, x !== undefined && x.key === y?.key && x.by === y.by ? x : undefined);
  }
  return { spans: meet(a.spans, b.spans), globals };
}

const placeOf = ({ globals }: Knowledge, g: number): Place | undefined =>
  globals.has(g) ? globals.get(g) : { key: atEntry(g), by: 0 };
