import { defineConfig, type Options } from "tsup";

import base from "../../tsup.config.ts";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** A module that another entry of this build makes: it is not copied into this one. */
function apart(name: string): Plugin {
  return {
    name: `${name}-apart`,
    setup(build) {
      build.onResolve({ filter: new RegExp(`/${name}\\.ts$`) }, () => ({ path: `./${name}.js`, external: true }));
    },
  };
}

/** One executable per command, whose common parts are split into chunks; the tools and zod as one file each. */
export default defineConfig([
  {
    ...base,
    entry: [
      "src/main.ts",
      "src/run.ts",
      "src/block-services.ts",
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
    esbuildPlugins: [apart("tool")],
  },
  {
    ...base,
    // Names stay, for the stacks of internal errors.
    entry: ["src/tool.ts"],
    external: ["zod", "koffi"],
    noExternal: [/^@mimus\/(block|qom|compress|bits|image-tools|host-node\/disk)$/],
    splitting: false,
    // Sockets and TLS are for the few images that are not files.
    esbuildPlugins: [apart("block-services")],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    esbuildOptions(options) {
      // Packages without side effects import chunks of theirs for nothing.
      options.logOverride = { "ignored-bare-import": "silent" };
    },
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
