/** Ends the process when one run never ends: what a loop without bounds does, no timer of the same thread would see. */
import { Worker } from "node:worker_threads";

const BODY = `
const { workerData } = require("node:worker_threads");
const now = new Int32Array(workerData.shared);
let [last, since] = [-1, Date.now()];
setInterval(() => {
  const seen = now[0];
  if (seen !== last) [last, since] = [seen, Date.now()];
  else if (seen >= 0 && Date.now() - since > workerData.ms) {
    require("node:fs").writeSync(1, "FAILED run " + seen + " does not end\\n");
    process.kill(process.pid, "SIGKILL");
  }
}, 1000);
`;

/** Starts the watch. @returns what to call with each run's number; a negative one stops it until the next */
export function watchdog(seconds: number): (run: number) => void {
  const shared = new SharedArrayBuffer(4);
  const now = new Int32Array(shared).fill(-1);
  new Worker(BODY, { eval: true, workerData: { shared, ms: seconds * 1000 } }).unref();
  return (run) => void (now[0] = run);
}
