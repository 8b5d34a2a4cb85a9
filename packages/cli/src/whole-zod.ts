/** All of zod as one file, for plugins and for what is seldom asked of it; see zod.ts. */
export * from "zod";
export { default } from "zod";
