import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { apic } from "./apic/apic.ts";
import { ioapic } from "./ioapic.ts";
import { isaI8259 } from "./isa-i8259.ts";
import { sifivePlic } from "./sifive-plic.ts";

export { APIC_PAGES } from "./apic/apic.ts";
export { ApicBus } from "./apic/bus.ts";
export type { EoiListener } from "./apic/bus.ts";
export { LocalApicChip } from "./apic/local-apic.ts";
export type { ApicCpu, ExternalController, LocalApicPins } from "./apic/pins.ts";
export { I8259 } from "./i8259.ts";
export { IoApic, IOAPIC_PINS } from "./ioapic-chip.ts";
export type { MessageSink } from "./ioapic-chip.ts";
export { Plic } from "./plic.ts";
export type { PlicLayout } from "./plic.ts";
export { plicContexts, sifivePlic } from "./sifive-plic.ts";
export type { PlicContext } from "./sifive-plic.ts";
export { apic, ioapic, isaI8259 };

/** Interrupt controllers. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-irqchip", types: [sifivePlic, isaI8259, ioapic, apic] });
export default plugin;
