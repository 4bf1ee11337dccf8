import { isIPv4, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';

export interface Listen {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Parsers of one setting's text. Each throws `RangeError` with a sentence that says what is allowed. */

export function listen(text: string): Listen {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:\s[\]/]+)):)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new RangeError('must be an address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080');
  }
  return { host: bracketed ?? plain ?? '127.0.0.1', port };
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** Without its trailing slash. */
export function baseUrl(text: string): string {
  const help = 'must be an address such as https://packages.example.com';
  if (!/^https?:\/\/[^\s/?#@]+\/?$/.test(text)) {
    const path = /^https?:\/\/[^\s/?#@]+\/[^?#]+$/.test(text)
      ? ', without a path: Entrepot answers at the root of its host'
      : '';
    throw new RangeError(`${help}${path}`);
  }
  if (!URL.canParse(text)) throw new RangeError(help);
  return new URL(text).origin;
}

/** Without its trailing slash; its path stays. */
export function collector(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if ((url?.protocol !== 'http:' && url?.protocol !== 'https:') || url.search !== '' || url.hash !== '')
    throw new RangeError('must be an address such as http://127.0.0.1:4318');
  return url.href.replace(/\/+$/, '');
}

/** 0 to 1. */
export function share(text: string): number {
  const number = Number(text);
  if (!/^[0-9.]+$/.test(text) || !(number >= 0 && number <= 1))
    throw new RangeError(`must be a number from 0 to 1, not ${JSON.stringify(text)}`);
  return number;
}

export function hosts(text: string): readonly string[] {
  const all = items(text).map((host) => host.toLowerCase());
  if (all.length > 8) throw new RangeError(`must be at most 8 hosts, not ${all.length}`);
  for (const host of all) {
    if (!/^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$/.test(host)) {
      throw new RangeError(
        `must be hosts such as packages.example.com or packages.example.com:8443, not ${JSON.stringify(host)}`,
      );
    }
  }
  return all;
}

export function networks(text: string): readonly string[] {
  const all = items(text);
  for (const network of all) {
    const valid = network.includes('/') ? ipaddr.isValidCIDR(network) : isIPv4(network) || isIPv6(network);
    if (!valid)
      throw new RangeError(`must be addresses or networks such as 10.0.0.0/8, not ${JSON.stringify(network)}`);
  }
  return all;
}

export function flag(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new RangeError(`must be true or false, not ${JSON.stringify(text)}`);
  return text === 'true';
}

export function among<T extends string>(...values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new RangeError(`must be ${values.join(' or ')}, not ${JSON.stringify(text)}`);
    return found;
  };
}

export function path(text: string, folder: string): string {
  if (text.includes('\0')) throw new RangeError('must be a path');
  return resolve(folder, text);
}

export type DatabaseAt =
  | { readonly kind: 'sqlite'; readonly path?: string }
  | { readonly kind: 'postgres'; readonly url: string };

export function database(text: string, folder: string): DatabaseAt {
  if (/^postgres(ql)?:\/\/./.test(text) && URL.canParse(text)) return { kind: 'postgres', url: text };
  const file = fileIn(text, 'sqlite', folder);
  if (file === undefined)
    throw new RangeError('must be sqlite:, sqlite:<file> or postgres://user:password@host/database');
  return { kind: 'sqlite', ...file };
}

export function secret(minimum: number): (text: string) => string {
  return (text) => {
    if (!/^[\x21-\x7e]+$/.test(text)) throw new RangeError('must be visible ASCII characters without blanks');
    if (text.length < minimum)
      throw new RangeError(`must have at least ${minimum} characters, so that nobody guesses it`);
    return text;
  };
}

/** One line of printable ASCII, which is all that a status line and a header can have. */
export function sentence(longest: number): (text: string) => string {
  return (text) => {
    if (!/^[\x20-\x7e]+$/.test(text)) throw new RangeError('must be one line of printable ASCII');
    if (text.length > longest) throw new RangeError(`must have at most ${longest} characters, not ${text.length}`);
    return text;
  };
}

export function oneWorker(text: string): number {
  if (text === '1') return 1;
  if (text === 'auto' || /^[1-9][0-9]*$/.test(text))
    throw new RangeError('must be 1: this version serves with one process');
  throw new RangeError(`must be a number of processes, not ${JSON.stringify(text)}`);
}

export function redis(text: string): string {
  const url = /^rediss?:\/\/[^\s/?#]+(\/\d*)?$/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname) throw new RangeError('must be redis://user:password@host:port/database, or rediss: for TLS');
  return text;
}

/** `sqlite:`, `sqlite:folder/file`, `sqlite:///folder/file`; undefined when it is another kind of address. */
export function fileIn(text: string, scheme: string, folder: string): { readonly path?: string } | undefined {
  if (!text.startsWith(`${scheme}:`)) return undefined;
  const rest = text.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, '');
  if (rest.startsWith('//')) return undefined;
  return rest === '' ? {} : { path: path(rest, folder) };
}

function items(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
