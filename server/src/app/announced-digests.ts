import type { IncomingHttpHeaders } from 'node:http';
import { Fault } from '../engine/fault.ts';

/** By the name that the header uses, in lower case; bytes of a digest. */
const ALGORITHMS: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  'sha-256': ['sha256', 32],
  'sha-512': ['sha512', 64],
  sha: ['sha1', 20],
  'sha-1': ['sha1', 20],
  md5: ['md5', 16],
};

const IN_HEX: Readonly<Record<string, string>> = {
  'x-checksum-sha256': 'sha-256',
  'x-checksum-sha512': 'sha-512',
  'x-checksum-sha1': 'sha-1',
  'x-checksum-md5': 'md5',
};

/**
 * The digests that a request says its body has: `Content-Digest` and `Repr-Digest` (RFC 9530), the older `Digest` (RFC 3230)
 * and `Content-MD5`, and `X-Checksum-…` in hex. Algorithms that are not known are passed over, as RFC 9530 §2 asks; a digest
 * that cannot be one of its algorithm throws `Fault`.
 */
export function announcedDigests(headers: IncomingHttpHeaders): readonly string[] {
  const found = [
    ...['content-digest', 'repr-digest'].flatMap((name) => members(headers[name], /^\s*([\w-]+)=:([^:]*):/)),
    ...members(headers['digest'], /^\s*([\w-]+)=(.*?)\s*$/),
    ...(typeof headers['content-md5'] === 'string' ? [digestOf('md5', headers['content-md5'], 'base64')] : []),
    ...Object.entries(IN_HEX).flatMap(([header, algorithm]) => {
      const value = headers[header];
      return typeof value === 'string' ? [digestOf(algorithm, value, 'hex')] : [];
    }),
  ];
  return [...new Set(found.filter((digest) => digest !== undefined))];
}

function members(header: string | string[] | undefined, shape: RegExp): readonly (string | undefined)[] {
  if (header === undefined) return [];
  return String(header)
    .split(',')
    .map((member) => {
      const [, algorithm, value] = shape.exec(member) ?? [];
      if (algorithm === undefined || value === undefined)
        throw new Fault('invalid', `${JSON.stringify(member.trim().slice(0, 100))} is no digest as a header has it.`);
      return digestOf(algorithm, value, 'base64');
    });
}

function digestOf(algorithm: string, value: string, encoding: 'base64' | 'hex'): string | undefined {
  const [name, length] = ALGORITHMS[algorithm.toLowerCase()] ?? [];
  if (name === undefined) return undefined;
  const bytes = Buffer.from(value.trim(), encoding);
  if (bytes.length !== length)
    throw new Fault('invalid', `${JSON.stringify(value.slice(0, 200))} is no ${name} digest.`);
  return `${name}:${bytes.toString('hex')}`;
}
