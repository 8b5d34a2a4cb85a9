#!/usr/bin/env node
// mimus-system-riscv64: for tools that want one executable per target.
process.argv.splice(2, 0, "system-riscv64");
await import("./main.ts");
