/** Names under which this machine reaches itself: never the name of a page elsewhere. As `hostnameOf` writes them. */
export const THIS_MACHINE: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

const HOST = /^(\[[\d:.a-f]+\]|[\w.-]+)(?::\d{1,5})?$/;

/** The name in a Host header, without the port; lower case, as names are compared. Empty if the header is not a host and a port. */
export function hostnameOf(host: string): string {
  return HOST.exec(host.toLowerCase())?.[1] ?? '';
}

/** Whether the Origin header names the server that the Host header names, without TLS: a page that this server itself served. */
export function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && origin === `http://${host.toLowerCase()}`;
}

/** The host of a URL by which this machine reaches a server. @param address that it listens on */
export function urlHost(address: string): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost';
  return address.includes(':') ? `[${address}]` : address;
}
