import { BlockList } from 'node:net';

/** Loopback (RFC 1122, RFC 4291) and private addresses (RFC 1918, RFC 4193): they lead to no machine of a stranger. */
const OWN_NETWORKS = new BlockList();
OWN_NETWORKS.addSubnet('127.0.0.0', 8, 'ipv4');
OWN_NETWORKS.addSubnet('10.0.0.0', 8, 'ipv4');
OWN_NETWORKS.addSubnet('172.16.0.0', 12, 'ipv4');
OWN_NETWORKS.addSubnet('192.168.0.0', 16, 'ipv4');
OWN_NETWORKS.addAddress('::1', 'ipv6');
OWN_NETWORKS.addSubnet('fc00::', 7, 'ipv6');

/**
 * Whether an address is on this machine or in its private network, told from the address alone: localhost, loopback and private IP
 * addresses. Other names are not looked up, and count as elsewhere: a name can come to lead anywhere.
 */
export function isOwnNetwork(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true; // RFC 6761: always loopback
  if (host.includes(':')) return OWN_NETWORKS.check(host, 'ipv6');
  return /^[\d.]+$/.test(host) && OWN_NETWORKS.check(host, 'ipv4'); // URL has written every IPv4 form as four numbers
}
