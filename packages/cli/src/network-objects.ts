/** Whether an object type is one for the network: credentials and who may use them. */
export function isNetworkObject(type: unknown): boolean {
  return typeof type === "string" && /^(tls-creds|authz)-/.test(type);
}
