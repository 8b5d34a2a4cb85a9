/** A network card, as the back end at the other end of its cable sees it. Frames are Ethernet, without FCS. */
export interface NetNic {
  /** For people: "virtio-net 'n0'". */
  readonly name: string;
  /** "52:54:00:12:34:56". */
  readonly mac: string;
  /** Takes a frame that came from outside; false = no room now, it asks again through {@link NetPeer.ready}. May keep the bytes. */
  receive(frame: Uint8Array): boolean;
  /** The back end takes frames again after it refused one. */
  writable?(): void;
  /** The cable was plugged in, or pulled out. */
  linkChanged?(up: boolean): void;
}

/** The back end, as the card sees it. */
export interface NetPeer {
  /** Whether the cable is plugged in (QMP set_link). */
  readonly up: boolean;
  /** Sends a frame; false = not now, {@link NetNic.writable} will tell. The bytes belong to the peer from then on. */
  send(frame: Uint8Array): boolean;
  /** The card has room again: what waits for it comes now. */
  ready(): void;
}

/** What `-netdev` makes: a back end of kind "netdev" in the machine. */
export interface NetBackend {
  /** What cards name it by. */
  readonly id: string;
  /** "user", "socket", "hubport": what the user wrote. */
  readonly type: string;
  /** For `info network`. */
  describe(): string;
  /** Plugs a card in. @throws NetError "busy" when one is there already */
  attach(nic: NetNic): NetPeer;
  /** Takes the card away. */
  detach(nic: NetNic): void;
  /** Plugs the cable in, or pulls it out (QMP set_link). */
  setLink(up: boolean): void;
  /** Releases what it has of the host. */
  close(): Promise<void>;
}

/** Largest frame that is carried, bytes: 64 KiB of payload with a VLAN tag. Larger ones are dropped. */
export const MAX_FRAME: number = 65536 + 18;
/** Smallest frame: two addresses and a type. */
export const MIN_FRAME = 14;
