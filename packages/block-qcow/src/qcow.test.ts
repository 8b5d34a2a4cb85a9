import { testFormat } from "@mimus/testkit";
import { qcow } from "./format.ts";

testFormat(qcow, { size: (1 << 20) + 512 });
testFormat(qcow, {
  variants: { encrypted: { "encrypt.format": "aes", "encrypt.key-secret": "s" } },
  open: { encrypt: { "key-secret": "s" } },
  size: (1 << 18) + 512,
});
