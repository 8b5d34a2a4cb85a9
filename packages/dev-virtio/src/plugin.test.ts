import { RingBufChar } from "@mimus/chardev";
import { NullNode, BlockBackend } from "@mimus/block";
import type { TestDeviceOptions } from "@mimus/testkit";
import { testDevice, testManifest } from "@mimus/testkit";
import packageJson from "../package.json" with { type: "json" };
import plugin, { MemoryDirectory } from "./index.ts";

testManifest(packageJson, plugin);

const options: TestDeviceOptions = {
  plugins: [plugin],
  setup(machine, bench) {
    machine.registerBackend("drive", "d0", new BlockBackend("d0", new NullNode("n0", { size: 1 << 20, zeroes: true })));
    machine.registerBackend("fsdev", "f0", new MemoryDirectory());
    machine.registerBackend("chardev", "c0", new RingBufChar("c0"));
    bench.device("virtio-mmio", { "force-legacy": false });
    bench.device("virtio-mmio");
  },
};
const onPci: TestDeviceOptions = {
  ...options,
  setup(machine, bench) {
    options.setup?.(machine, bench);
    bench.device("gpex-pcihost");
  },
};
const props: Record<string, Record<string, unknown>> = {
  "virtio-blk": { drive: "d0" },
  "virtio-9p": { fsdev: "f0", mount_tag: "share" },
};
for (const type of plugin.types) {
  if (type.abstract === true) continue;
  const own = props[type.name.replace(/-(device|pci).*$/, "")] ?? {};
  if (type.class?.["bus"] === "virtio-bus") testDevice(type, { ...options, props: own });
  else if (["virtio-blk-pci", "virtio-net-pci", "virtio-keyboard-pci"].includes(type.name))
    testDevice(type, { ...onPci, props: own });
}
