/** Time and randomness of a page or worker for a Linux program; the shape is that of `ProcessHost` in `@mimus/linux-user`. */
import { webClock, type WebClock } from "./clock.ts";

/** What `memoryHost` takes as `time`. */
export interface WebProgramTime {
  monotonicNs(): number;
  realtime(): { readonly sec: number; readonly nsec: number };
  random(bytes: Uint8Array): void;
  after(ns: number, fn: () => void): () => void;
  yield(): Promise<void>;
}

/** setTimeout's longest delay. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of this page or worker for a program. */
export function webProgramTime(clock: WebClock = webClock()): WebProgramTime {
  return {
    monotonicNs: () => clock.now(),
    realtime: () => {
      const ns = clock.wallNow();
      return { sec: Math.floor(ns / 1e9), nsec: Math.floor(ns % 1e9) };
    },
    random: (bytes) => {
      // Not every browser fills memory that is WebAssembly's.
      const own = new Uint8Array(bytes.length);
      clock.random(own);
      bytes.set(own);
    },
    after: (ns, fn) => {
      const due = clock.now() + ns;
      let timer: ReturnType<typeof setTimeout>;
      const arm = (): void => {
        const left = Math.max(Math.ceil((due - clock.now()) / 1e6), 0);
        timer = setTimeout(left > LONGEST_MS ? arm : fn, Math.min(left, LONGEST_MS));
      };
      arm();
      return () => clearTimeout(timer);
    },
    yield: () => clock.yield(),
  };
}
