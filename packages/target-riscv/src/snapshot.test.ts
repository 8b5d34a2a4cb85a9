import { describe, expect, test } from "vitest";
import { SmallHart } from "../tests/small-hart.ts";
import { HartState } from "./snapshot.ts";
import { OFF, STATE_FIELDS, xOffset } from "./state.ts";

const stateOf = (h: SmallHart): HartState => new HartState(() => h.hart);

describe("hart state", () => {
  test("covers every byte of the layout once", () => {
    const used = new Set<number>();
    for (const f of STATE_FIELDS)
      for (let w = 0; w < f.words; w++) {
        const at = f.offset + 4 * w;
        expect(used.has(at), f.name).toBe(false);
        used.add(at);
      }
    const holes: number[] = [];
    for (let at = xOffset(1); at < OFF.end; at += 4) if (!used.has(at)) holes.push(at);
    // The trap value, and the word behind frm.
    expect(holes).toEqual([OFF.trapValue, OFF.trapValue + 4, OFF.frm + 4]);
  });

  test("goes from one hart to another", () => {
    const a = new SmallHart();
    let executed = 1000;
    a.hart.counters.setExecuted(() => executed);
    for (let n = 1; n < 32; n++) a.hart.set(xOffset(n), n * 1111, -n);
    a.setCsr(0x180, (8n << 60n) | 0x80000n);
    a.setCsr(0x3b0, 0x2000_0000n);
    a.setCsr(0x3a0, 0x0fn);
    a.setCsr(0x300, 0x2_2000n);
    a.hart.setIrq(7, true);
    const saved = JSON.parse(JSON.stringify(stateOf(a).save()));

    const b = new SmallHart();
    stateOf(b).load(saved);
    expect(b.csr(0xb00)).toBe(1000n);
    expect(b.hart.pmp.permissions(0x1000, 4, 1)).toBe(7);
    expect(b.hart.lo(20)).toBe(a.hart.lo(20));
    for (const f of STATE_FIELDS)
      if (!f.name.endsWith("Offset")) expect([f.name, b.hart.lo(f.offset)]).toEqual([f.name, a.hart.lo(f.offset)]);
    executed = 0;
    expect(stateOf(b).save()).toEqual(saved);
  });

  test.each([
    ["priv", 2, /priv holds an illegal value/],
    ["satp", [0, 5 << 28], /satp holds an illegal value/],
    ["mstatus", [-1, 0], /mstatus holds an illegal value/],
    ["mideleg", 0x888, /mideleg/],
    ["x1", [2 ** 40, 0], /x1/],
    ["nonsense", 1, /nonsense/],
  ])("refuses %s = %o and changes nothing", (name, value, message) => {
    const h = new SmallHart();
    const saved = stateOf(h).save() as { fields: Record<string, unknown> };
    saved.fields["x5"] = [5, 5];
    saved.fields[name] = value;
    expect(() => stateOf(h).load(saved)).toThrow(message);
    expect(h.hart.lo(xOffset(5))).toBe(0);
  });
});
