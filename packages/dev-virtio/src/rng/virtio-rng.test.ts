import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";
import { rngSources } from "./sources.ts";
import type { RngSource } from "./virtio-rng.ts";

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

describe("sources", () => {
  const machine = { random: (bytes: Uint8Array) => void bytes.fill(7) };
  it.each(["rng-builtin", "rng-random"])("%s has the machine's bytes", (name) => {
    const type = rngSources.find((one) => one.name === name)!;
    const source = (type.class!["create"] as (...values: unknown[]) => RngSource)({}, "r", machine);
    const filled = (b: Uint8Array): number[] => (source.fill(b), [...b]);
    expect([type.class!["backend"], filled(new Uint8Array(3))]).toEqual(["rng", [7, 7, 7]]);
  });
  it("reads no other file", () => {
    const { props } = rngSources.find((type) => type.name === "rng-random")!;
    expect(props!.safeParse({ filename: "/dev/urandom" }).success).toBe(true);
    expect(props!.safeParse({ filename: "/etc/passwd" }).success).toBe(false);
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
