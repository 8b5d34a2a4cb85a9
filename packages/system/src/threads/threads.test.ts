import type { CodeOwner } from "@mimus/tcg";
import { describe, expect, it } from "vitest";
import { Answering, Orders } from "./calls.ts";
import { CodeNotices } from "./code-notices.ts";
import { blockSize, CALL, ENGINE, NOTICES, ORDERS, SharedBlock } from "./shared-block.ts";
import { Slice } from "./slice.ts";

// Pages without cross-origin isolation have none: there these are skipped, and the machine refuses thread=multi.
const shareable = typeof SharedArrayBuffer !== "undefined";

const BYTES = 2 ** 20;
const shared = (engines: number): SharedBlock =>
  new SharedBlock(new SharedArrayBuffer(blockSize(engines, BYTES)), engines, BYTES);

/** Engines of one thread: none of them runs but the one that acts. */
function engines(count: number) {
  const block = shared(count);
  const log: string[] = [];
  /** Pages to which nothing can be stored without notice. */
  const closed = new Set<number>();
  const all = Array.from({ length: count }, (_, n) => {
    const notices = new CodeNotices(block, n);
    const owner: CodeOwner = {
      protect: (ram) => {
        log.push(`${n} protects ${ram}`);
        return !closed.has(ram);
      },
      drop: (ram) => void log.push(`${n} drops ${ram}`),
    };
    notices.connect(owner);
    notices.park();
    return notices;
  });
  return { block, log, all, closed, take: () => log.splice(0) };
}

describe.skipIf(!shareable)("code pages of several engines", () => {
  it("are known to all, and stores to them noticed, before code is read", () => {
    const { all, take } = engines(2);
    const [a, b] = all as [CodeNotices, CodeNotices];
    a.unpark();
    a.enter(0x5123);
    expect([a.holds(0x5fff), b.holds(0x5000), b.has(0x5000), b.has(0x6000)]).toEqual([true, false, true, false]);
    expect(take()).toEqual(["0 protects 20480"]);
    a.park();
    b.unpark();
    expect(take()).toEqual(["1 protects 20480"]);
    b.unpark();
    expect(take()).toEqual([]);
  });

  it("are dropped by the others before a store, and kept by who stores", () => {
    const { all, take } = engines(3);
    const [a, b, c] = all as [CodeNotices, CodeNotices, CodeNotices];
    a.enter(0x3000);
    b.enter(0x3000);
    take();
    b.unpark();
    take();
    b.beforeStore(0x3abc);
    expect([a.holds(0x3000), b.holds(0x3000)]).toEqual([false, true]);
    b.park();
    a.unpark();
    c.unpark();
    expect(take()).toEqual([
      "0 protects 12288",
      "0 drops 12288",
      "2 protects 12288",
      "2 protects 12288",
      "2 drops 12288",
    ]);
    b.leave(0x3000);
    expect(a.has(0x3000)).toBe(false);
  });

  it("that were protected in the middle of an access are dropped by the others after its block", () => {
    const { all, take } = engines(2);
    const [a, b] = all as [CodeNotices, CodeNotices];
    let late = 0;
    b.onLate = () => late++;
    b.unpark();
    b.rest(() => a.enter(0x7000));
    expect([late, take()]).toEqual([1, ["0 protects 28672", "1 protects 28672"]]);
    expect(a.holds(0x7000)).toBe(true);
    b.park();
    expect(a.holds(0x7000)).toBe(false);
    a.unpark();
    expect(take()).toEqual(["0 drops 28672"]);
  });

  it("stay with who has them when nothing could be stored in the middle of the access", () => {
    const { all, closed, take } = engines(2);
    const [a, b] = all as [CodeNotices, CodeNotices];
    let late = 0;
    b.onLate = () => late++;
    closed.add(0x7000);
    b.unpark();
    b.rest(() => a.enter(0x7000));
    b.park();
    expect([late, take(), a.holds(0x7000)]).toEqual([0, ["0 protects 28672", "1 protects 28672"], true]);
  });

  it("all go when more notices were missed than are kept", () => {
    const { all } = engines(2);
    const [a, b] = all as [CodeNotices, CodeNotices];
    let lost = 0;
    b.onLost = () => lost++;
    for (let n = 0; n <= NOTICES; n++) {
      a.enter(0x1000);
      a.leave(0x1000);
    }
    b.unpark();
    expect(lost).toBe(1);
  });
});

it.skipIf(!shareable)("orders come in the order in which they were given, around the ring", () => {
  const orders = new Orders(shared(2), 1);
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < ORDERS; n++) orders.give(() => expect.unreachable(), 1, n, round);
    for (let n = 0; n < ORDERS; n++) expect([...orders.take()!.subarray(0, 3)]).toEqual([1, n, round]);
    expect(orders.take()).toBeUndefined();
  }
});

it.skipIf(!shareable)("calls are answered once, and not in the middle of an answer", () => {
  const block = shared(3);
  const asked: number[] = [];
  const answering = new Answering(block, (engine, values, answer) => {
    asked.push(engine);
    answer[0] = values[1]! * 2;
    answering.serve();
  });
  const state = block.at(2, ENGINE.call);
  block.asked(2).set([7, 21]);
  Atomics.store(block.words, state, CALL.asked);
  answering.serve();
  answering.serve();
  expect([asked, block.answered(2)[0], Atomics.load(block.words, state)]).toEqual([[2], 42, CALL.answered]);
});

it.skipIf(!shareable)("no thread sees an earlier time than another one has", () => {
  const block = shared(2);
  expect([block.latest(100), block.latest(90), block.latest(101)]).toEqual([100, 100, 101]);
});

it.skipIf(!shareable)("slices follow the speed of the guest's code", () => {
  const slice = new Slice();
  for (let n = 0; n < 20; n++) slice.observe(slice.insns, slice.insns * 20);
  expect(slice.insns).toBeGreaterThan(2300);
  expect(slice.insns).toBeLessThan(2700);
  slice.observe(10, 1e6);
  expect(slice.insns).toBeGreaterThan(2300);
});
