import ipaddr from 'ipaddr.js';

/** Kept for documentation: routed nowhere, and therefore nobody's private network (RFC 5737, RFC 3849). */
const DOCUMENTATION = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'].map((range) =>
  ipaddr.parseCIDR(range),
);

/** NAT64 (RFC 6052): the last four bytes are the IPv4 address that is really reached. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');

/** Deprecated IPv4-compatible addresses (RFC 4291 §2.5.5.1), loopback and unspecified among them. */
const IPV4_COMPATIBLE = ipaddr.parseCIDR('::/96');

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** False for private, loopback, link-local, shared, multicast, reserved and tunnelled addresses, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  return ipaddr.isValid(plain) && isPublic(ipaddr.process(plain));
}

/** Of a URL's `hostname`: an address that is not public, or a name that always means this machine. Other names: false. */
export function isPrivateHost(hostname: string): boolean {
  const plain = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return ipaddr.isValid(plain) ? !isPublicAddress(plain) : /(^|\.)localhost$/.test(plain);
}

function isPublic(address: Address): boolean {
  if (within(address, NAT64)) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(12)));
  if (within(address, IPV4_COMPATIBLE)) return false;
  return address.range() === 'unicast' || DOCUMENTATION.some((range) => within(address, range));
}

function within(address: Address, range: [Address, number]): boolean {
  return address.kind() === range[0].kind() && address.match(range);
}
