#!/usr/bin/env node
// mimus-nbd: qemu-nbd's place.
process.argv.splice(2, 0, "nbd");
await import("./main.ts");
