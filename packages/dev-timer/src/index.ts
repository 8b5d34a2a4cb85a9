import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { aclintMtimer } from "./aclint-mtimer.ts";
import { aclintSwi } from "./aclint-swi.ts";
import { goldfishRtc } from "./goldfish-rtc.ts";

export { MTimer } from "./mtimer.ts";
export type { MTimerLayout, MTimerPins } from "./mtimer.ts";
export { SoftwareInterrupts } from "./swi.ts";
export { GoldfishRtc } from "./goldfish.ts";
export type { GoldfishPins } from "./goldfish.ts";
export { TickRate } from "./ticks.ts";
export { aclintMtimer, aclintSwi, goldfishRtc };

const plugin: Plugin = definePlugin({ name: "@mimus/dev-timer", types: [aclintMtimer, aclintSwi, goldfishRtc] });
export default plugin;
