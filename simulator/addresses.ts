/** 127.64.0.0/10 and above: far from what a host itself uses of 127/8. */
const firstAddress = 127 * 2 ** 24 + 64 * 2 ** 16 + 1;
const addressCount = 2 ** 22 - 2;

/** The loopback address of a machine: its own, so that limits per address see different machines. */
export function loopbackAddress(index: number): string {
  const number = firstAddress + (index % addressCount);
  return [24, 16, 8, 0].map(shift => (number >>> shift) & 255).join('.');
}

/** Linux lets any address of 127/8 be a source, but only towards loopback. */
export function sourceAddressFor(host: string, loopback: string): string | undefined {
  return host === 'localhost' || /^127(\.\d{1,3}){3}$/.test(host) ? loopback : undefined;
}
