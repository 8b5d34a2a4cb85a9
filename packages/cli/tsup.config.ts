import { defineConfig, type Options } from "tsup";

import base from "../../tsup.config.ts";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** A module that another entry of this build makes: it is not copied into this one. */
function apart(name: string, built = name): Plugin {
  return {
    name: `${name}-apart`,
    setup(build) {
      build.onResolve({ filter: new RegExp(`/${name}\\.ts$`) }, ({ kind }) =>
        kind === "entry-point" ? undefined : { path: `./${built}.js`, external: true },
      );
    },
  };
}

/** What commands are made of, whose common parts are split into chunks; what loads them, and zod, as one file each. */
export default defineConfig([
  {
    ...base,
    entry: {
      run: "src/run.ts",
      program: "src/user/command.ts",
      tool: "src/tool.ts",
      "run-server": "src/run-server.ts",
    },
    external: ["zod"],
    splitting: true,
  },
  {
    ...base,
    entry: [
      "src/main.ts",
      "src/system-riscv64.ts",
      "src/system-riscv32.ts",
      "src/system-x86_64.ts",
      "src/system-i386.ts",
      "src/riscv64.ts",
      "src/img.ts",
      "src/io.ts",
      "src/nbd.ts",
      "src/storage-daemon.ts",
    ],
    splitting: false,
    esbuildPlugins: [apart("run"), apart("command", "program"), apart("tool"), apart("run-server"), apart("main")],
  },
  {
    ...base,
    entry: ["src/zod.ts", "src/whole-zod.ts"],
    noExternal: ["zod"],
    splitting: false,
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
