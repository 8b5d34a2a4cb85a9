/** Direction of a DMA transfer, as the 8237 names it: "write" moves from the device to memory, "read" from memory to the device. */
export type DmaMode = "verify" | "write" | "read";

/** What a channel is programmed to do now, as the device that asks sees it. All in bytes. */
export interface IsaDmaTransfer {
  readonly mode: DmaMode;
  /** Already moved. */
  readonly position: number;
  /** In all: the programmed count plus one. */
  readonly length: number;
  /** Takes up to `length` bytes out of memory from the current position on, without moving on. Returns how many. */
  read(into: Uint8Array, offset: number, length: number): number;
  /** Puts up to `length` bytes into memory at the current position, without moving on. Returns how many. */
  write(from: Uint8Array, offset: number, length: number): number;
  /** Moves on by `bytes`; at the end the channel reaches its terminal count. */
  advance(bytes: number): void;
}

/** A device behind a DMA channel. */
export interface IsaDmaHandler {
  /** Moves what it can. Called again while it moves something and its request stays up. */
  transfer(t: IsaDmaTransfer): void;
}

/** One DMA channel, as a device uses it. */
export interface IsaDmaChannel {
  /** Who transfers. */
  attach(handler: IsaDmaHandler | undefined): void;
  /** The request line. High: transfers happen at once when the channel is not masked, or as soon as it no longer is. */
  setRequest(level: boolean): void;
}

/** What gives the bus four channels. */
export interface IsaDmaController {
  /** @param n 0..3 */
  channel(n: number): IsaDmaChannel;
}
