/** Version of the frames and of their payloads; sent as `Upgrade: turbolift/1`. */
export const WIRE_VERSION = 1
