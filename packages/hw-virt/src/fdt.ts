import { cells64, FdtNode } from "./fdt/index.ts";
import { highPcie, IRQ, MEMMAP, PLIC_SOURCES, TIMEBASE_HZ, VIRTIO_COUNT } from "./memmap.ts";
import type { MemoryWindow } from "./memmap.ts";

/** Interrupts of a hart as its local controller numbers them. Source: RISC-V Privileged 20211203, table 3.6. */
const HART_IRQ = { sSoft: 1, mSoft: 3, mTimer: 7, sExt: 9, mExt: 11 } as const;

/** What the tree says about one hart. */
export interface FdtHart {
  /** The ISA string, such as "rv64imafdc_zicsr". */
  readonly isa: string;
  /** "riscv,sv48" and the like; "riscv,none" without translation. */
  readonly mmu: string;
  /** Block sizes of the cache block operations, bytes; absent: no such extension. */
  readonly cbom?: number;
  readonly cboz?: number;
}

/** Everything that the generated tree depends on. */
export interface FdtInput {
  readonly xlen: 32 | 64;
  readonly ramSize: number;
  readonly harts: readonly FdtHart[];
  readonly aclint: boolean;
  readonly compatible?: string;
  readonly bootargs?: string;
  readonly initrd?: MemoryWindow;
  readonly rngSeed: Uint8Array;
  /** Counters mhpmcounter3.. that exist, 0 to 29; 0: no PMU node. */
  readonly pmuCounters: number;
}

/** Hands out phandles: 1, 2, ... */
class Phandles {
  #next = 1;
  take(): number {
    return this.#next++;
  }
}

interface Wiring {
  readonly handles: Phandles;
  /** Phandles of the harts' interrupt controllers, hart by hart. */
  readonly intc: number[];
  plic: number;
}

/**
 * The device tree of the board.
 * Source: Devicetree Specification v0.4; the bindings named in each "compatible"; QEMU 7.2's `dumpdtb` as the oracle.
 */
export function buildFdt(input: FdtInput): FdtNode {
  const root = new FdtNode("");
  root.set("#address-cells", [2]).set("#size-cells", [2]);
  root.set("compatible", input.compatible ?? "riscv-virtio").set("model", "riscv-virtio,qemu");
  const wiring: Wiring = { handles: new Phandles(), intc: [], plic: 0 };

  if (input.pmuCounters > 0) pmu(root, input.pmuCounters);
  root
    .child(unit("fw-cfg", MEMMAP.fwCfg.base))
    .set("dma-coherent", true)
    .set("reg", reg(MEMMAP.fwCfg))
    .set("compatible", "qemu,fw-cfg-mmio");
  const { base, size } = MEMMAP.flash;
  root
    .child(unit("flash", base))
    .set("bank-width", [4])
    .set("reg", [...reg({ base, size: size / 2 }), ...reg({ base: base + size / 2, size: size / 2 })])
    .set("compatible", "cfi-flash");
  chosen(root, input);
  const soc = new FdtNode("soc");
  const cpus = harts(input, wiring);
  const interrupts = controllers(input, wiring);
  const test = wiring.handles.take();
  syscon(root, "poweroff", 0x5555, test);
  syscon(root, "reboot", 0x7777, test);
  platformBus(root, wiring.plic);
  root
    .child(unit("memory", MEMMAP.dram.base))
    .set("device_type", "memory")
    .set("reg", reg({ base: MEMMAP.dram.base, size: input.ramSize }));
  root.children.push(cpus, soc);
  soc.set("#address-cells", [2]).set("#size-cells", [2]).set("compatible", "simple-bus").set("ranges", true);
  devices(soc, wiring.plic, test);
  soc.children.push(pci(input, wiring.plic), ...virtio(wiring.plic), ...interrupts);
  return root;
}

function unit(name: string, address: number): string {
  return `${name}@${address.toString(16)}`;
}

function reg({ base, size }: MemoryWindow): number[] {
  return [...cells64(base), ...cells64(size)];
}

/** Event map of the SBI PMU extension: event range, then the counters that can count it. Counters 0 and 2 are cycle and instret. */
function pmu(root: FdtNode, counters: number): void {
  const programmable = ((2 ** counters - 1) * 8) >>> 0;
  const cycles = (programmable | 1) >>> 0;
  const instret = (programmable | 4) >>> 0;
  const map = [0x01, 0x01, cycles, 0x02, 0x02, instret];
  for (const event of [0x10019, 0x1001b, 0x10021]) map.push(event, event, programmable);
  root.child("pmu").set("riscv,event-to-mhpmcounters", map).set("compatible", "riscv,pmu");
}

function chosen(root: FdtNode, input: FdtInput): void {
  const node = root.child("chosen");
  if (input.initrd !== undefined) {
    const end = input.initrd.base + input.initrd.size;
    node.set("linux,initrd-end", address(end)).set("linux,initrd-start", address(input.initrd.base));
  }
  node.set("rng-seed", input.rngSeed);
  if (input.bootargs !== undefined && input.bootargs !== "") node.set("bootargs", input.bootargs);
  node.set("stdout-path", `/soc/${unit("serial", MEMMAP.uart0.base)}`);
}

/** One cell when it fits, else two: what the kernel accepts for the initrd. */
function address(value: number): number[] {
  return value < 2 ** 32 ? [value] : cells64(value);
}

function syscon(root: FdtNode, name: string, value: number, test: number): void {
  root.child(name).set("value", [value]).set("offset", [0]).set("regmap", [test]).set("compatible", `syscon-${name}`);
}

function platformBus(root: FdtNode, plic: number): void {
  const { base, size } = MEMMAP.platformBus;
  root
    .child(unit("platform-bus", base))
    .set("interrupt-parent", [plic])
    .set("ranges", [0, ...cells64(base), size])
    .set("#address-cells", [1])
    .set("#size-cells", [1])
    .set("compatible", ["qemu,platform", "simple-bus"]);
}

function harts(input: FdtInput, wiring: Wiring): FdtNode {
  const cpus = new FdtNode("cpus");
  cpus.set("#address-cells", [1]).set("#size-cells", [0]).set("timebase-frequency", [TIMEBASE_HZ]);
  const map = new FdtNode("cpu-map");
  const cluster = map.child("cluster0");
  // The last hart gets the first phandles.
  const handles = input.harts.map(() => [wiring.handles.take(), wiring.handles.take()] as const).toReversed();
  for (const [hartid, hart] of input.harts.entries()) {
    const [cpu, intc] = handles[hartid] as readonly [number, number];
    wiring.intc.push(intc);
    const node = cpus
      .child(unit("cpu", hartid))
      .set("phandle", [cpu])
      .set("device_type", "cpu")
      .set("reg", [hartid])
      .set("status", "okay")
      .set("compatible", "riscv")
      .set("riscv,isa", hart.isa)
      .set("mmu-type", hart.mmu);
    if (hart.cbom !== undefined) node.set("riscv,cbom-block-size", [hart.cbom]);
    if (hart.cboz !== undefined) node.set("riscv,cboz-block-size", [hart.cboz]);
    node
      .child("interrupt-controller")
      .set("#interrupt-cells", [1])
      .set("interrupt-controller", true)
      .set("compatible", "riscv,cpu-intc")
      .set("phandle", [intc]);
    cluster.child(`core${hartid}`).set("cpu", [cpu]);
  }
  cpus.children.push(map);
  return cpus;
}

/** PLIC and ACLINT (or CLINT), one of each per socket in this order: they know every hart of the machine. */
function controllers(input: FdtInput, wiring: Wiring): FdtNode[] {
  wiring.plic = wiring.handles.take();
  const each = (...irqs: number[]): number[] => wiring.intc.flatMap((intc) => irqs.flatMap((irq) => [intc, irq]));
  const plic = new FdtNode(unit("plic", MEMMAP.plic.base))
    .set("phandle", [wiring.plic])
    .set("riscv,ndev", [PLIC_SOURCES])
    .set("reg", reg(MEMMAP.plic))
    .set("interrupts-extended", each(HART_IRQ.mExt, HART_IRQ.sExt))
    .set("interrupt-controller", true)
    .set("compatible", ["sifive,plic-1.0.0", "riscv,plic0"])
    .set("#address-cells", [0])
    .set("#interrupt-cells", [1]);
  const { base } = MEMMAP.clint;
  if (!input.aclint) {
    const clint = new FdtNode(unit("clint", base))
      .set("interrupts-extended", each(HART_IRQ.mSoft, HART_IRQ.mTimer))
      .set("reg", reg(MEMMAP.clint))
      .set("compatible", ["sifive,clint0", "riscv,clint0"]);
    return [plic, clint];
  }
  const software = (name: string, at: number, irq: number): FdtNode =>
    new FdtNode(unit(name, at))
      .set("#interrupt-cells", [0])
      .set("interrupt-controller", true)
      .set("interrupts-extended", each(irq))
      .set("reg", reg({ base: at, size: 0x4000 }))
      .set("compatible", `riscv,aclint-${name}`);
  const mtimer = new FdtNode(unit("mtimer", base + 0x4000))
    .set("interrupts-extended", each(HART_IRQ.mTimer))
    .set("reg", [...reg({ base: base + 0xbff8, size: 0x4008 }), ...reg({ base: base + 0x4000, size: 0x7ff8 })])
    .set("compatible", "riscv,aclint-mtimer");
  return [
    plic,
    software("sswi", MEMMAP.aclintSswi.base, HART_IRQ.sSoft),
    mtimer,
    software("mswi", base, HART_IRQ.mSoft),
  ];
}

function devices(soc: FdtNode, plic: number, test: number): void {
  soc
    .child(unit("rtc", MEMMAP.rtc.base))
    .set("interrupts", [IRQ.rtc])
    .set("interrupt-parent", [plic])
    .set("reg", reg(MEMMAP.rtc))
    .set("compatible", "google,goldfish-rtc");
  soc
    .child(unit("serial", MEMMAP.uart0.base))
    .set("interrupts", [IRQ.uart0])
    .set("interrupt-parent", [plic])
    .set("clock-frequency", [3_686_400])
    .set("reg", reg(MEMMAP.uart0))
    .set("compatible", "ns16550a");
  soc
    .child(unit("test", MEMMAP.test.base))
    .set("phandle", [test])
    .set("reg", reg(MEMMAP.test))
    .set("compatible", ["sifive,test1", "sifive,test0", "syscon"]);
}

function virtio(plic: number): FdtNode[] {
  const { base, size } = MEMMAP.virtio;
  return Array.from({ length: VIRTIO_COUNT }, (_, i) => VIRTIO_COUNT - 1 - i).map((i) =>
    new FdtNode(unit("virtio_mmio", base + i * size))
      .set("interrupts", [IRQ.virtio + i])
      .set("interrupt-parent", [plic])
      .set("reg", reg({ base: base + i * size, size }))
      .set("compatible", "virtio,mmio"),
  );
}

/** Source: Devicetree binding "host-generic-pci"; IEEE 1275 PCI bus binding (the flags in `ranges`). */
function pci(input: FdtInput, plic: number): FdtNode {
  const IO = 0x0100_0000;
  const MEM32 = 0x0200_0000;
  const MEM64 = 0x0300_0000;
  const { base, size } = MEMMAP.pcieMmio;
  const high = highPcie(input.xlen, input.ramSize);
  const window = (flags: number, at: number, cpu: MemoryWindow): number[] => [flags, ...cells64(at), ...reg(cpu)];
  const map: number[] = [];
  for (let slot = 0; slot < 4; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      // INTx swizzles with the slot: INTA of slot 1 shares the line of INTB of slot 0.
      map.push(slot << 11, 0, 0, pin + 1, plic, IRQ.pcie + ((slot + pin) % 4));
    }
  }
  return new FdtNode(unit("pci", MEMMAP.pcieEcam.base))
    .set("interrupt-map-mask", [0x1800, 0, 0, 7])
    .set("interrupt-map", map)
    .set(
      "ranges",
      [window(IO, 0, MEMMAP.pciePio), window(MEM32, base, { base, size }), window(MEM64, high.base, high)].flat(),
    )
    .set("reg", reg(MEMMAP.pcieEcam))
    .set("dma-coherent", true)
    .set("bus-range", [0, 0xff])
    .set("linux,pci-domain", [0])
    .set("device_type", "pci")
    .set("compatible", "pci-host-ecam-generic")
    .set("#size-cells", [2])
    .set("#interrupt-cells", [1])
    .set("#address-cells", [3]);
}
