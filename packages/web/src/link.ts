import type { FromMachine, Port, ToMachine } from "./protocol.ts";
import type { serve } from "./serve.ts";

/** The page's end of a line to a machine. */
export type MachinePort = Port<ToMachine, FromMachine>;

/** A machine's process: where it runs, and the line to it. */
export interface Link {
  readonly port: MachinePort;
  readonly where: "worker" | "page";
}

/** Starts a worker for a machine; where that does not work, or is not wanted, the machine will run on the page itself. */
export async function connect(wanted: "worker" | "page", onMessage: (message: FromMachine) => void): Promise<Link> {
  const address = new URL("./worker.js", import.meta.url);
  if (wanted === "worker") {
    const worker = await startWorker(address, onMessage).catch(() => undefined);
    if (worker !== undefined) return { port: worker, where: "worker" };
  }
  const module = (await import(address.href)) as { serve: typeof serve };
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener("message", ({ data }) => onMessage(data as FromMachine));
  port1.start();
  module.serve(port2 as Port<FromMachine, ToMachine>);
  return { port: port1, where: "page" };
}

function startWorker(address: URL, onMessage: (message: FromMachine) => void): Promise<MachinePort> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(address, { type: "module", name: "machine" });
    let ready = false;
    worker.addEventListener("message", ({ data }: { data: FromMachine }) => {
      ready ||= data.type === "ready";
      if (data.type === "ready") resolve(worker);
      else onMessage(data);
    });
    worker.addEventListener("error", (event) => {
      if (ready) onMessage({ type: "error", message: `The machine's worker failed: ${event.message}`, fatal: true });
      else reject(new Error(event.message));
    });
  });
}
