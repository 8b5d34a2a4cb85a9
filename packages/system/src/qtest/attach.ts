import type { CharBackend } from "@mimus/chardev";
import type { System } from "../system.ts";
import { qtestPort } from "./machine-port.ts";
import { Qtest } from "./protocol.ts";

/** Speaks the test protocol on a character device. `log` hears every line in both directions (`-qtest-log`). */
export function attachQtest(system: System, chardev: CharBackend, log?: (line: string) => void): Qtest {
  const pending: Uint8Array[] = [];
  const drain = (): void => {
    for (let head = pending[0]; head !== undefined; head = pending[0]) {
      const taken = chardev.write(head);
      if (taken < head.length) {
        pending[0] = head.subarray(taken);
        return;
      }
      pending.shift();
    }
  };
  const qtest = new Qtest(qtestPort(system), (line) => {
    log?.(`[S] ${line}`);
    pending.push(Uint8Array.from(`${line}\n`, (c) => c.charCodeAt(0)));
    drain();
  });
  chardev.attach({
    canReceive: () => 65536,
    receive: (bytes) => {
      const copy = bytes.slice();
      system.post(() => qtest.receive(copy));
    },
    event: () => {},
    writable: drain,
  });
  return qtest;
}
