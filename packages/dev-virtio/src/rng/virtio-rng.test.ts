import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";

describe.each(WAYS)("virtio-rng, $name", (way) => {
  it("fills buffers", () => {
    const r = rig("virtio-rng-device", {}, { legacy: way.legacy });
    r.driver.start(1, 8, { packed: way.packed });
    const q = r.driver.queues[0]!;
    const b = q.add([], [16, 48]);
    r.driver.kick(0);
    expect(q.take()).toEqual({ id: b.id, written: 64 });
    expect(new Set(q.contents(b)).size).toBeGreaterThan(20);
  });
});

describe("virtio-rng", () => {
  it("keeps to its quota", () => {
    const source = { fill: (b: Uint8Array) => void b.fill(5) };
    const r = rig(
      "virtio-rng-device",
      { rng: "r0", "max-bytes": 10, period: 100 },
      { backends: { rng: { r0: source } } },
    );
    r.driver.start(1, 8, {});
    const q = r.driver.queues[0]!;
    for (let i = 0; i < 3; i++) q.add([], [8]);
    r.driver.kick(0);
    expect([q.take()?.written, q.take()?.written, q.take()]).toEqual([8, 2, undefined]);
    r.bench.advance(99e6);
    expect(q.take()).toBeUndefined();
    r.bench.advance(2e6);
    expect(q.take()?.written).toBe(8);
  });
});
