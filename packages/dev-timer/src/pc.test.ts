import busIsa from "@mimus/bus-isa";
import { testDevice } from "@mimus/testkit";
import { hpet } from "./hpet.ts";
import { isaPit } from "./isa-pit.ts";
import { mc146818Rtc } from "./mc146818rtc.ts";

const isa = {
  plugins: [busIsa],
  setup: (_m: unknown, b: { device(type: string): unknown }) => void b.device("isabus-bridge"),
};
testDevice(isaPit, { ...isa, props: { iobase: 0x40 } });
// A battery keeps memory, modes and time over a reset.
testDevice(mc146818Rtc, { ...isa, without: ["reset"] });
testDevice(hpet);
testDevice(hpet, { props: { timers: 8, msi: true, "hpet-intcap": 4 } });
