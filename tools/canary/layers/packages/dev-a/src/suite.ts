import { testkit } from "@mimus/testkit";
export { testkit };
