import type { CharBackend, CharFrontend, HostStream } from "./contract.ts";

/** Copies all output to a log (`logfile=`). */
export class TeeChar implements CharBackend {
  readonly #below: CharBackend;
  readonly #log: HostStream;

  constructor(below: CharBackend, log: HostStream) {
    this.#below = below;
    this.#log = log;
  }

  get open(): boolean {
    return this.#below.open;
  }
  write(bytes: Uint8Array): number {
    const accepted = this.#below.write(bytes);
    if (accepted > 0) this.#log.write(bytes.subarray(0, accepted));
    return accepted;
  }
  attach(frontend: CharFrontend): void {
    this.#below.attach(frontend);
  }
  detach(frontend: CharFrontend): void {
    this.#below.detach(frontend);
  }
  frontendReady(): void {
    this.#below.frontendReady();
  }
  async close(): Promise<void> {
    await this.#below.close();
    await this.#log.close();
  }
}
