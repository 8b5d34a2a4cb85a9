import type { HostFile } from "@mimus/block";

/** How the server shows that it is the right one. */
export type HostKeyCheck =
  | { readonly mode: "none" }
  | { readonly mode: "known_hosts" }
  | {
      readonly mode: "hash";
      readonly type: "md5" | "sha1" | "sha256";
      /** Hexadecimal digits, in small letters and without colons. */
      readonly hash: string;
    };

/** A file on another machine. */
export interface SshTarget {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  /** Absent = the name of the user of this process. */
  readonly user?: string;
  /** On that machine. */
  readonly path: string;
  /** What the server must show. */
  readonly hostKey: HostKeyCheck;
  /** Absent = keys of the user's agent, and those in ~/.ssh that have no passphrase. */
  readonly password?: string;
  /** Opened for reading and writing. */
  readonly writable: boolean;
  /** Makes the file, or empties it. */
  readonly create?: boolean;
}

/** Service "ssh" of the host: opens a file by SFTP. @throws an error whose message says what is wrong */
export type SshHost = (target: SshTarget) => Promise<HostFile>;
