#!/usr/bin/env node
// mimus-system-riscv32: for tools that want one executable per target.
process.argv.splice(2, 0, "system-riscv32");
await import("./main.ts");
