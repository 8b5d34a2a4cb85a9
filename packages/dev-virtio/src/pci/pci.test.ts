import { describe, expect, it } from "vitest";
import { pciRig } from "../../tests/pci-driver.ts";
import { memoryDrive, settle } from "../../tests/rig.ts";

const head = (type: number): Uint8Array => Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

async function disk(props: Record<string, unknown> = {}, type = "virtio-blk-pci") {
  const media = await memoryDrive(1 << 20);
  return { ...media, ...pciRig(type, { drive: "d0", ...props }, { drive: { d0: media.drive } }) };
}

describe("virtio over PCI", () => {
  it("is transitional on the root bus, modern behind a root port", async () => {
    const { driver } = await disk();
    expect([driver.c(0, 4), driver.c(8, 1), driver.c(0x2c, 4), driver.c(8, 4) >>> 16]).toEqual([
      0x10011af4, 0, 0x00021af4, 0x0100,
    ]);
    const m = await disk({ "disable-legacy": "on" });
    expect([m.driver.c(0, 4), m.driver.c(8, 1), m.driver.c(0x2c, 4)]).toEqual([0x10421af4, 1, 0x11001af4]);
    const n = await disk({}, "virtio-blk-pci-non-transitional");
    expect(n.driver.c(0, 4)).toBe(0x10421af4);
    const l = await disk({ "disable-modern": "on" });
    expect([l.driver.c(0, 4), l.driver.areas.size]).toEqual([0x10011af4, 0]);
    await expect(disk({ "disable-modern": "on", "disable-legacy": "on" })).rejects.toThrow(/no interface/);
    const media = await memoryDrive(1 << 20);
    const { bench } = pciRig("pcie-root-port", {});
    bench.machine.registerBackend("drive", "d0", media.drive);
    bench.machine.createDevice("virtio-blk-pci", { drive: "d0" }, { id: "behind", bus: "dut", realize: true });
    bench.machine.reset();
    const s = bench.machine.system;
    s.write(0x3000_8018, 4, 0x00010100);
    expect(s.read(0x3010_0000, 4)).toBe(0x10421af4);
    expect(bench.machine.tree.resolve("/machine/peripheral/behind/virtio-backend").type.name).toBe("virtio-blk-device");
  });

  it.each([false, true])("carries requests, modern (packed %s), by the pin", async (packed) => {
    const { driver, irq, disk: file } = await disk({ packed: "on" });
    expect(driver.startModern(1, 64, { packed })).toBe(true);
    const q = driver.queues[0]!;
    q.add([head(1), new Uint8Array(512).fill(3)], [1]);
    driver.kick(0);
    await settle();
    expect([irq(), file.content()[0], q.take()?.written]).toEqual([true, 3, 1]);
    expect([driver.isr(), irq(), driver.isr()]).toEqual([1, false, 0]);
  });

  it("carries requests, legacy", async () => {
    const { driver, irq } = await disk();
    driver.startLegacy(1, [9]);
    expect([driver.io(0x14, 4), driver.io(0x12, 1)]).toEqual([2048, 7]);
    const b = driver.queues[0]!.add([head(0)], [512, 1]);
    driver.kick(0);
    await settle();
    expect([irq(), driver.queues[0]!.take()]).toEqual([true, { id: b.id, written: 513 }]);
    expect(driver.isr()).toBe(1);
    expect(irq()).toBe(false);
  });

  it("sends MSI-X messages for queues and configuration changes", async () => {
    const { driver, irq, drive, bench } = await disk();
    const [a, b] = [driver.alloc(4), driver.alloc(4)];
    driver.enableMsix([
      { addr: a, data: 0x11 },
      { addr: b, data: 0x22 },
    ]);
    driver.startModern(1, 64);
    driver.queues[0]!.add([head(4)], [1]);
    driver.kick(0);
    await settle();
    const s = bench.machine.system;
    expect([irq(), s.read(a, 4), s.read(b, 4)]).toEqual([false, 0, 0x22]);
    await drive.resize(4 << 20);
    expect(s.read(a, 4)).toBe(0x11);
    driver.setCommon(0x1a, 2, 77);
    expect(driver.common(0x1a, 2)).toBe(0xffff);
    driver.setCommon(0x14, 1, 0);
    expect(driver.common(0x10, 2)).toBe(0xffff);
  });

  it("can be driven through configuration space alone", async () => {
    const { driver } = await disk();
    const w = driver.capAt.get(5)!;
    driver.setC(w + 4, 1, 4);
    driver.setC(w + 8, 4, 0x2000);
    driver.setC(w + 12, 4, 4);
    expect(driver.c(w + 16, 4)).toBe(2048);
    driver.setC(w + 8, 4, 0x14);
    driver.setC(w + 12, 4, 1);
    driver.setC(w + 16, 4, 3);
    expect(driver.common(0x14, 1)).toBe(3);
    for (const [offset, length] of [
      [0xffffffff, 4],
      [0x4000, 4],
      [1, 4],
      [0, 3],
    ] as const) {
      driver.setC(w + 8, 4, offset);
      driver.setC(w + 12, 4, length);
      driver.c(w + 16, 4);
      driver.setC(w + 16, 4, 1);
    }
  });

  it("keeps working after save and load in another machine", async () => {
    const one = await disk();
    one.driver.startModern(1, 64);
    const q = one.driver.queues[0]!;
    q.add([head(4)], [1]);
    one.driver.kick(0);
    await settle();
    const two = await disk();
    q.take();
    const b = q.add([head(1), new Uint8Array(512).fill(8)], [1]);
    two.bench.machine.loadState(one.bench.machine.saveState());
    expect(two.irq()).toBe(true);
    two.bench.machine.system.write(one.driver.areas.get(2)!, 2, 0);
    await settle();
    expect(two.disk.content()[0]).toBe(8);
    expect(two.bench.machine.system.read(b.in[0]!.addr, 1)).toBe(0);
  });
});
