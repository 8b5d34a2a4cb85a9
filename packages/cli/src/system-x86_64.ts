#!/usr/bin/env node
// mimus-system-x86_64: for tools that want one executable per target.
process.argv.splice(2, 0, "system-x86_64");
await import("./main.ts");
