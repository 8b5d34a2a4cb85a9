/** Pieces of the slow paths of guest memory: `oi` is the local with log2 of the size and the mmu index. */
import { type Code, W } from "../wasm/encode.ts";
import { TLB_ENTRIES, TLB_ENTRY_SIZE } from "./contract.ts";

export const LOAD_U: readonly number[] = [W.i64Load8U, W.i64Load16U, W.i64Load32U, W.i64Load];
export const STORE: readonly number[] = [W.i64Store8, W.i64Store16, W.i64Store32, W.i64Store];

/** Pushes the halves of the i64 in a local. */
export function halves(c: Code, local: number): void {
  c.get(local);
  c.op(W.i32WrapI64);
  c.get(local);
  c.i64(32, 0);
  c.op(W.i64ShrU);
  c.op(W.i32WrapI64);
}

/** Pushes the TLB entry, less `ENV.tlb`, of (env 0, address 1); `pushMmu` pushes the mmu index. */
export function pushEntry(c: Code, pushMmu: () => void): void {
  pushMmu();
  c.i32(31 - Math.clz32(TLB_ENTRIES * TLB_ENTRY_SIZE));
  c.op(W.i32Shl);
  c.get(1);
  c.op(W.i32WrapI64);
  c.i32(7);
  c.op(W.i32ShrU);
  c.i32((TLB_ENTRIES - 1) * TLB_ENTRY_SIZE);
  c.op(W.i32And);
  c.op(W.i32Add);
  c.get(0);
  c.op(W.i32Add);
}

/** Pushes the size of an access less 1. */
export function pushLess1(c: Code, oi: number): void {
  c.i32(1);
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.op(W.i32Shl);
  c.i32(1);
  c.op(W.i32Sub);
}

/** Pushes the page of the last byte of an access at the address in local 1. */
export function pushLastPage(c: Code, oi: number): void {
  c.get(1);
  pushLess1(c, oi);
  c.op(W.i64ExtendI32U);
  c.op(W.i64Add);
  c.i64(-4096, -1);
  c.op(W.i64And);
}

/** Pushes the address in local 1 without its place in the page, but with what makes it not aligned: what a tag is. */
export function pushTag(c: Code, oi: number): void {
  c.get(1);
  pushLess1(c, oi);
  c.i32(-4096);
  c.op(W.i32Or);
  c.op(W.i64ExtendI32S);
  c.op(W.i64And);
}

/** Code for each width, chosen by the low bits of local `oi`; each must leave nothing on the stack. */
export function bySize(c: Code, oi: number, body: (log2: number) => void): void {
  for (let i = 0; i < 4; i++) c.block();
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.op(W.brTable);
  c.u32(3);
  for (let i = 0; i < 4; i++) c.u32(i);
  for (let log2 = 0; log2 < 4; log2++) {
    c.end();
    body(log2);
  }
}
