#!/usr/bin/env node
import { enableCompileCache } from "node:module";

import { shareBuilt } from "./share-built.ts";

const command = /^(?:qemu-|mimus-)?([a-z][a-z\d_]*)$/.exec(process.argv[2] ?? "")?.[1];
/** Tools that start without machines. */
const tool = command === "img" || command === "io";
// What is kept of a module holds the functions that were compiled with it: of a tool all, or each run compiles anew what it calls, 5 ms.
if (tool) process.getBuiltinModule("node:v8").setFlagsFromString("--no-lazy");
// Compiled code of all packages is kept between runs: 70 ms of a cold start.
enableCompileCache();
const server = /^(?:qemu-|mimus-)?(?:nbd|storage-daemon)$/.test(process.argv[2] ?? "");
// Programs start without what machines need, schemas above all: half of a cold start.
if (
  tool ||
  server ||
  command === undefined ||
  command === "plugins" ||
  command === "help" ||
  !(await runProgram(command))
) {
  shareBuilt(tool);
  await (tool ? import("./tool.ts") : server ? import("./run-server.ts") : import("./run.ts"));
}

async function runProgram(target: string): Promise<boolean> {
  const { userCommand } = await import("./user/command.ts");
  return userCommand(target, process.argv.slice(3));
}
