export type { Codecs } from "./codecs.ts";
export { portable } from "./portable.ts";
