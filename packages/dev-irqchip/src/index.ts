import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { sifivePlic } from "./sifive-plic.ts";

export { Plic } from "./plic.ts";
export type { PlicLayout } from "./plic.ts";
export { plicContexts, sifivePlic } from "./sifive-plic.ts";
export type { PlicContext } from "./sifive-plic.ts";

const plugin: Plugin = definePlugin({ name: "@mimus/dev-irqchip", types: [sifivePlic] });
export default plugin;
