import { defineConfig } from "tsup";

import base from "../../tsup.config.ts";

/** One executable per command, and zod as one file; what they share is split into chunks. */
export default defineConfig([
  {
    ...base,
    entry: [
      "src/main.ts",
      "src/run.ts",
      "src/run-tool.ts",
      "src/system-riscv64.ts",
      "src/system-riscv32.ts",
      "src/system-x86_64.ts",
      "src/system-i386.ts",
      "src/riscv64.ts",
      "src/img.ts",
      "src/io.ts",
      "src/nbd.ts",
      "src/run-server.ts",
      "src/storage-daemon.ts",
    ],
    external: ["zod"],
    splitting: true,
  },
  {
    ...base,
    entry: ["src/zod.ts"],
    noExternal: ["zod"],
    minify: true,
    sourcemap: false,
    esbuildPlugins: [
      {
        name: "english-only",
        setup(build) {
          // 64 translations of messages that nothing here asks for.
          build.onLoad({ filter: /zod.*locales[\\/]index\.js$/ }, () => ({
            contents: 'export { default as en } from "./en.js";',
            loader: "js",
          }));
        },
      },
    ],
  },
]);
