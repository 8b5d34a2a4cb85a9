import type { HostFile } from "./host-file.ts";
import type { LockRequest } from "./lock.ts";
import { totalLength } from "./node.ts";

/** One call that a {@link FaultyFile} saw. `data` is a copy. */
export type FileCall =
  | { readonly op: "write"; readonly at: number; readonly data: Uint8Array }
  | { readonly op: "read" | "punch" | "zero"; readonly at: number; readonly length: number }
  | { readonly op: "flush" | "close" | "size" | "lock" }
  | { readonly op: "truncate"; readonly size: number };

/** Which call fails, and how. */
export interface Fault {
  /** How many calls go well before it. */
  at: number;
  /** POSIX code; EIO when not given. */
  readonly code?: string;
  /** Only these operations fail and are counted. */
  readonly ops?: readonly FileCall["op"][];
  /** All later calls fail, too. */
  readonly every?: boolean;
}

/** The error of a host: carries a POSIX code as Node's do. */
export function hostError(code: string): Error {
  return Object.assign(new Error(`${code}: failure asked for by the test`), { code });
}

/** A file that records every call and fails where it is told to: for crash-point and fail-at-N tests. */
export class FaultyFile implements HostFile {
  readonly path: string;
  /** Every call so far, in order, failed ones included. */
  readonly calls: FileCall[] = [];
  /** Awaited before each data call, to hold requests in flight. */
  gate: (() => Promise<void>) | undefined;
  /** Reads take no waiting where the file below has it so; they are recorded, and never fail. */
  quick = false;
  readonly #file: HostFile;
  #fault: Fault | undefined;

  constructor(file: HostFile) {
    this.#file = file;
    this.path = file.path;
  }

  /** Fails the call number `at` (0 = the next one) among `ops`; undefined = no more failures. */
  fail(fault: Fault | undefined): void {
    this.#fault = fault && { ...fault };
  }

  size(): Promise<number> {
    return this.#file.size();
  }
  async read(at: number, into: Uint8Array): Promise<number> {
    await this.#saw({ op: "read", at, length: into.length });
    return this.#file.read(at, into);
  }
  async write(at: number, from: Uint8Array): Promise<number> {
    await this.#saw({ op: "write", at, data: from.slice() });
    return this.#file.write(at, from);
  }
  async flush(): Promise<void> {
    await this.#saw({ op: "flush" });
    return this.#file.flush();
  }
  readNow(at: number, into: readonly Uint8Array[]): boolean {
    if (!this.quick || this.#file.readNow?.(at, into) !== true) return false;
    this.calls.push({ op: "read", at, length: totalLength(into) });
    return true;
  }
  async truncate(size: number): Promise<void> {
    await this.#saw({ op: "truncate", size });
    return this.#file.truncate(size);
  }
  async punch(at: number, length: number): Promise<void> {
    await this.#saw({ op: "punch", at, length });
    await this.#file.punch?.(at, length);
  }
  async zero(at: number, length: number): Promise<void> {
    await this.#saw({ op: "zero", at, length });
    await this.#file.zero?.(at, length);
  }
  async lock(request: LockRequest): Promise<void> {
    await this.#saw({ op: "lock" });
    await this.#file.lock?.(request);
  }
  async close(): Promise<void> {
    this.calls.push({ op: "close" });
    return this.#file.close();
  }

  async #saw(call: FileCall): Promise<void> {
    this.calls.push(call);
    if (this.gate) await this.gate();
    const fault = this.#fault;
    if (!fault || (fault.ops && !fault.ops.includes(call.op))) return;
    if (fault.at-- <= 0 && (fault.at === -1 || fault.every)) throw hostError(fault.code ?? "EIO");
  }
}
