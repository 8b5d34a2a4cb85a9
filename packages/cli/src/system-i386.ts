#!/usr/bin/env node
// mimus-system-i386: for tools that want one executable per target.
process.argv.splice(2, 0, "system-i386");
await import("./main.ts");
