import { Decoder } from "./decoder.ts";

let made: Decoder | undefined;

/** The decoder of all rows, made when it is first needed. */
export function sharedDecoder(): Decoder {
  made ??= new Decoder(undefined, { near16: true });
  return made;
}
