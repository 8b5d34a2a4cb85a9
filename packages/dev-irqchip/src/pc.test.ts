import busIsa from "@mimus/bus-isa";
import { testDevice } from "@mimus/testkit";
import { apic } from "./apic/apic.ts";
import { ioapic } from "./ioapic.ts";
import { isaI8259 } from "./isa-i8259.ts";

const isa = {
  plugins: [busIsa],
  setup: (_m: unknown, b: { device(type: string): unknown }) => void b.device("isabus-bridge"),
};
testDevice(isaI8259, { ...isa, props: { iobase: 0x20, elcr_addr: 0x4d0, elcr_mask: 0xf8, master: true } });
testDevice(ioapic);
testDevice(apic, { props: { id: 0 } });
