import type { DeviceContext } from "@mimus/machine-core";

/** What happens when a watchdog bites: `-action watchdog=`. */
export type WatchdogAction = "reset" | "shutdown" | "poweroff" | "inject-nmi" | "pause" | "debug" | "none";

/** Back end "watchdog" called "action": what the user chose. */
export interface WatchdogPolicy {
  action: WatchdogAction;
}

/** NMI input of a PC's processors. */
const NMI = 1;

/** Events that a program around the machine listens to. */
interface Emitter {
  emit?(event: string, ...args: unknown[]): void;
}

/** Does what the user wants of a watchdog that has run out; without a wish the machine is reset. */
export function performWatchdogAction(dev: DeviceContext): void {
  const { machine } = dev;
  const policy = machine.backend("watchdog", "action") as WatchdogPolicy | undefined;
  const action = policy?.action ?? "reset";
  const emitter = machine as Emitter;
  emitter.emit?.("watchdog", action);
  machine.log.write("info", dev.path, `the watchdog has run out: ${action}`);
  switch (action) {
    case "reset":
      return machine.requestReset("guest");
    case "shutdown":
      emitter.emit?.("powerdown-request");
      return;
    case "poweroff":
      return machine.requestShutdown("guest-shutdown", 0);
    case "inject-nmi":
      for (const cpu of machine.cpus) {
        cpu.setIrq(NMI, true);
        cpu.setIrq(NMI, false);
      }
      return;
    case "pause":
      emitter.emit?.("pause-request");
      return;
    default: // told already
  }
}
