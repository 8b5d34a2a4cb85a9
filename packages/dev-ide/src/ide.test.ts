import { Seeded, testDevice, testManifest, type Bench } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { DONE, drive, plugins, Rig, settle, ST } from "../tests/rig.ts";
import plugin, { ideCd, isaIde, piix3Ide, piix4Ide } from "./index.ts";

const isa = (_m: unknown, b: Bench): void => {
  b.device("isabus-bridge");
  b.device("gpex-pcihost");
};
const withChannel = (m: unknown, b: Bench): void => {
  isa(m, b);
  b.device("isa-ide", {}, { map: false });
};
testManifest(packageJson, plugin);
testDevice(isaIde, { plugins, setup: isa });
testDevice(piix3Ide, { plugins, setup: isa });
testDevice(piix4Ide, { plugins, setup: isa });
testDevice(ideCd, { plugins, types: [isaIde], setup: withChannel });

it("outlives drivers that write anything anywhere", async () => {
  const r = new Rig();
  const { backend } = await drive(1 << 20);
  r.add("ide-hd", backend);
  r.add("ide-cd", undefined);
  const seeded = new Seeded(7);
  const bytes = new Uint8Array(8);
  for (let n = 0; n < 20_000; n++) {
    // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- no array
    seeded.fill(bytes);
    const [what, value, ...more] = bytes as unknown as number[];
    const port = what! < 200 ? 0x1f0 + (what! & 7) : what! < 220 ? 0x3f6 : 0xc000 + (what! & 7);
    const size = ([1, 2, 4] as const)[more[0]! % 3]!;
    if (more[1]! < 64) r.io.read(port, size);
    else r.io.write(port, size, value! | (more[2]! << 8));
    if (n % 16 === 0) await Promise.resolve();
  }
  await settle();
  r.bench.machine.reset();
  r.io.write(0x3f6, 1, 0);
  r.reg(6, 0xa0);
  expect(await r.run(0xec)).toBe(DONE | ST.DRQ);
});
