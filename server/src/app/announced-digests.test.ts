import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Fault } from '../engine/fault.ts';
import { announcedDigests } from './announced-digests.ts';

const hash = (algorithm: string) => createHash(algorithm).update('bytes');
const [sha256, sha512] = [`sha256:${hash('sha256').digest('hex')}`, `sha512:${hash('sha512').digest('hex')}`];
const base64 = (algorithm: string) => hash(algorithm).digest('base64');

test.each([
  [{}, []],
  [{ 'content-digest': `sha-256=:${base64('sha256')}:` }, [sha256]],
  [{ 'content-digest': `sha-256=:${base64('sha256')}:, sha-512=:${base64('sha512')}:` }, [sha256, sha512]],
  [{ 'content-digest': `sha-256=:${base64('sha256')}:`, 'repr-digest': `sha-256=:${base64('sha256')}:` }, [sha256]],
  [{ 'content-digest': 'unixsum=:AAA=:' }, []],
  [{ digest: `SHA-256=${base64('sha256')},sha-512=${base64('sha512')}` }, [sha256, sha512]],
  [{ 'content-md5': base64('md5') }, [`md5:${hash('md5').digest('hex')}`]],
  [{ 'x-checksum-sha256': hash('sha256').digest('hex').toUpperCase() }, [sha256]],
])('%j announces %j', (headers, digests) => {
  expect(announcedDigests(headers)).toEqual(digests);
});

test.each([
  { 'content-digest': 'sha-256' },
  { 'content-digest': 'sha-256=:YWJj:' },
  { 'content-digest': '' },
  { digest: 'sha-256=' },
  { 'content-md5': 'x' },
  { 'x-checksum-sha256': 'g'.repeat(64) },
  { 'x-checksum-sha1': 'ab' },
])('%j is refused', (headers) => {
  expect(() => announcedDigests(headers)).toThrow(Fault);
});
