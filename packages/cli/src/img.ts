#!/usr/bin/env node
// mimus-img: qemu-img's place.
process.argv.splice(2, 0, "img");
await import("./main.ts");
