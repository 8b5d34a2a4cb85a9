import type { BlockNode } from "./node.ts";

import type { BlockStatus } from "./status.ts";

/** A node that takes everything and gives nothing (or zeroes): "null-co" and "null-aio". */
export class NullNode implements BlockNode {
  readonly sectorSize: number = 512;
  readonly readOnly: boolean;
  readonly name: string;
  readonly driver: string;
  readonly size: number;
  readonly #zeroes: boolean;
  readonly #wait: (() => Promise<void>) | undefined;

  constructor(
    name: string,
    opts: { driver?: string; size: number; zeroes: boolean; readOnly?: boolean; wait?: () => Promise<void> },
  ) {
    this.name = name;
    this.driver = opts.driver ?? "null-co";
    this.size = opts.size;
    this.readOnly = opts.readOnly ?? false;
    this.#zeroes = opts.zeroes;
    this.#wait = opts.wait;
  }

  async read(_at: number, into: Uint8Array): Promise<void> {
    await this.#wait?.();
    if (this.#zeroes) into.fill(0);
  }
  async write(): Promise<void> {
    await this.#wait?.();
  }
  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    return { length, allocated: true, zero: this.#zeroes, data: false, offset: at, file: this };
  }
  async flush(): Promise<void> {
    await this.#wait?.();
  }
  async discard(): Promise<void> {
    await this.#wait?.();
  }
  async writeZeroes(): Promise<void> {
    await this.#wait?.();
  }
  async close(): Promise<void> {}
}
