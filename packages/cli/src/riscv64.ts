#!/usr/bin/env node
// mimus-riscv64: for tools that want one executable per instruction set.
process.argv.splice(2, 0, "riscv64");
await import("./main.ts");
