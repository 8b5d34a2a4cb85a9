import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { aclintMtimer } from "./aclint-mtimer.ts";
import { aclintSwi } from "./aclint-swi.ts";
import { goldfishRtc } from "./goldfish-rtc.ts";
import { hpet } from "./hpet.ts";
import { isaPcspk } from "./isa-pcspk.ts";
import { isaPit } from "./isa-pit.ts";
import { mc146818Rtc } from "./mc146818rtc.ts";

export { Hpet } from "./hpet-chip.ts";
export type { HpetOptions, HpetPins } from "./hpet-chip.ts";
export { MTimer } from "./mtimer.ts";
export type { MTimerLayout, MTimerPins } from "./mtimer.ts";
export { Pit, PIT_HZ } from "./pit.ts";
export type { PitPins } from "./pit.ts";
export { Rtc } from "./rtc.ts";
export type { RtcOptions, RtcPins } from "./rtc.ts";
export { SoftwareInterrupts } from "./swi.ts";
export { GoldfishRtc } from "./goldfish.ts";
export type { GoldfishPins } from "./goldfish.ts";
export { TickRate } from "./ticks.ts";
export { aclintMtimer, aclintSwi, goldfishRtc, hpet, isaPcspk, isaPit, mc146818Rtc };

/** Timers and clocks. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-timer",
  types: [aclintMtimer, aclintSwi, goldfishRtc, hpet, isaPcspk, isaPit, mc146818Rtc],
});
export default plugin;
