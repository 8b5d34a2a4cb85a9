import { BaseChar } from "./base.ts";

/** Takes everything and says nothing. */
export class NullChar extends BaseChar {
  override write(bytes: Uint8Array): number {
    return bytes.length;
  }
  override async close(): Promise<void> {}
}
