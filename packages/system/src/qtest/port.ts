/** The machine as the test protocol sees it. Values are [low half, high half]; `undefined` paths are errors with a message. */
export interface QtestPort {
  readonly bigEndian: boolean;
  /** Reads guest physical memory; a value narrower than 8 bytes has a zero high half. */
  read(address: number, size: 1 | 2 | 4 | 8, out: Uint32Array): void;
  write(address: number, size: 1 | 2 | 4 | 8, lo: number, hi: number): void;
  readBytes(address: number, into: Uint8Array): void;
  writeBytes(address: number, from: Uint8Array): void;
  /** I/O ports; a machine without them reads all ones. */
  readPort(port: number, size: 1 | 2 | 4): number;
  writePort(port: number, size: 1 | 2 | 4, value: number): void;
  /** Moves guest time on by `ns`, or to the next deadline; fires what is due. @returns guest time, ns */
  clockStep(ns: number | undefined): number;
  /** Moves guest time to `ns`, if that is in the future. @returns guest time, ns */
  clockSet(ns: number): number;
  /** Reports changes of a device's lines. @returns why not, or undefined */
  intercept(path: string, inputs: boolean, changed: (line: number, level: boolean) => void): string | undefined;
  /** Drives an input line. @returns why not, or undefined */
  setIrqIn(path: string, name: string, line: number, level: boolean): string | undefined;
}
