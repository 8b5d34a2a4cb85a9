import { testFormat } from "@mimus/testkit";
import { vdi } from "./index.ts";

testFormat(vdi, { variants: { dynamic: {}, static: { static: true } } });
