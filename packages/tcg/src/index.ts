export * from "./exec/contract.ts";
