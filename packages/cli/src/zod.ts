/** All of zod as one file, built with what it imports; see main.ts. */
export * from "zod";
export { default } from "zod";
