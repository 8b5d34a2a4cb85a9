import { definePlugin, type Plugin, type TypeSpec } from "@mimus/qom";
import { rv32, rv64 } from "./generated/guest.ts";

/** The program for a word size, raw: it runs where it is loaded without firmware, at 0x80000000. */
export function embeddedGuest(xlen: 32 | 64): Uint8Array<ArrayBuffer> {
  return xlen === 32 ? rv32 : rv64;
}

const embedded: TypeSpec = {
  name: "embedded",
  kind: "guest",
  summary: "a prompt that shows what the machine has (-bios none -kernel embedded)",
  userCreatable: false,
  class: {
    /** The image for a target such as "riscv64"; undefined when there is none. */
    image: (target: string): Uint8Array | undefined =>
      target === "riscv64" ? embeddedGuest(64) : target === "riscv32" ? embeddedGuest(32) : undefined,
  },
};

/** The embedded guest. */
const plugin: Plugin = definePlugin({ name: "@mimus/guest-riscv", types: [embedded] });
export default plugin;
