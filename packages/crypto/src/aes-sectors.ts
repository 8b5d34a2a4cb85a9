import { Aes } from "./aes.ts";
import { aesModule, LAYOUT, PAGES } from "./aes-wasm.ts";
import type { IvGenerator } from "./iv.ts";
import type { SectorCipher } from "./sectors.ts";
import { SECTOR } from "./sectors.ts";

/** What is used of WebAssembly; hosts without it have the plain implementation. */
interface Wasm {
  readonly Memory: new (type: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}

type Run = (at: number, end: number, key: number, lastKey: number) => void;

let compiled: object | undefined;

/** AES for sectors in WebAssembly: `tweaks` for XTS, absent for CBC. Undefined where there is no WebAssembly. */
export function fastAes(key: Uint8Array, tweaks: Uint8Array | undefined, ivs: IvGenerator): SectorCipher | undefined {
  const wasm = (globalThis as { WebAssembly?: Wasm }).WebAssembly;
  if (!wasm) return undefined;
  try {
    compiled ??= new wasm.Module(aesModule());
    const memory = new wasm.Memory({ initial: PAGES });
    const { exports } = new wasm.Instance(compiled, { env: { memory } });
    return new FastAes(new Uint8Array(memory.buffer), exports, new Aes(key), tweaks && new Aes(tweaks), ivs);
  } catch {
    return undefined; // a page whose policy forbids it
  }
}

class FastAes implements SectorCipher {
  readonly #bytes: Uint8Array;
  readonly #iv: Int32Array;
  readonly #encrypt: Run;
  readonly #decrypt: Run;
  readonly #keySize: number;
  readonly #tweaks: Aes | undefined;
  readonly #ivs: IvGenerator;

  constructor(
    bytes: Uint8Array,
    exports: Readonly<Record<string, unknown>>,
    aes: Aes,
    tweaks: Aes | undefined,
    ivs: IvGenerator,
  ) {
    this.#bytes = bytes;
    this.#iv = new Int32Array(bytes.buffer, LAYOUT.iv, 4);
    this.#encrypt = exports[tweaks ? "xtsEncrypt" : "cbcEncrypt"] as Run;
    this.#decrypt = exports[tweaks ? "xtsDecrypt" : "cbcDecrypt"] as Run;
    this.#tweaks = tweaks;
    this.#ivs = ivs;
    this.#keySize = aes.place(new Int32Array(bytes.buffer));
  }

  encrypt(bytes: Uint8Array, sector: number): void {
    this.#run(this.#encrypt, LAYOUT.encryptKeys, bytes, sector);
  }

  decrypt(bytes: Uint8Array, sector: number): void {
    this.#run(this.#decrypt, LAYOUT.decryptKeys, bytes, sector);
  }

  #run(run: Run, key: number, bytes: Uint8Array, sector: number): void {
    const last = key + this.#keySize - 16;
    for (let done = 0; done < bytes.length; done += LAYOUT.room) {
      const part = bytes.subarray(done, done + LAYOUT.room);
      this.#bytes.set(part, LAYOUT.sectors);
      for (let at = 0; at < part.length; at += SECTOR) {
        this.#ivs(sector++, this.#iv);
        this.#tweaks?.encrypt(this.#iv, 0);
        run(LAYOUT.sectors + at, LAYOUT.sectors + Math.min(at + SECTOR, part.length), key, last);
      }
      part.set(this.#bytes.subarray(LAYOUT.sectors, LAYOUT.sectors + part.length));
    }
  }
}
