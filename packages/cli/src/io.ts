#!/usr/bin/env node
// mimus-io: qemu-io's place.
process.argv.splice(2, 0, "io");
await import("./main.ts");
