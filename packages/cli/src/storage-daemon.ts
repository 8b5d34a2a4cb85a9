#!/usr/bin/env node
// mimus-storage-daemon: qemu-storage-daemon's place.
process.argv.splice(2, 0, "storage-daemon");
await import("./main.ts");
