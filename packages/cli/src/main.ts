#!/usr/bin/env node
import { existsSync } from "node:fs";
import { enableCompileCache, registerHooks } from "node:module";

// Compiled code of all packages is kept between runs: 70 ms of a cold start.
enableCompileCache();

// zod is ninety small files, a third of the time that loading takes; the build puts them into one, for every package of this process.
const zod = new URL("./zod.js", import.meta.url);
if (existsSync(zod))
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "zod" ? { url: zod.href, format: "module", shortCircuit: true } : next(specifier, context),
  });

await import("./run.ts");
