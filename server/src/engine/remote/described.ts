import { hash } from 'node:crypto';
import type { ObjectRow } from '../../ledger/ledger.ts';
import { IntegrityError } from '../../store/store.ts';
import type { UpstreamResponse } from '../../upstream/upstream.ts';
import type { AnyFormat, IndexTarget, RawDocument } from '../format.ts';
import type { Answer } from './exchange.ts';

export function emptyAnswer({ bytes, type }: NonNullable<IndexTarget['empty']>, url: string): Answer {
  const response: UpstreamResponse = {
    status: 200,
    headers: { 'content-type': type },
    url,
    timings: { firstByte: 0 },
    body: async function* () {
      yield Buffer.from(bytes);
    },
    discard: async () => {},
  };
  return { kind: 'body', response, place: {} };
}

export function algorithmsOf({ digest }: IndexTarget): string[] {
  const algorithm = digest?.split(':', 1)[0];
  return algorithm === undefined ? [] : [algorithm];
}

/** Before anything is read out of them. Throws `IntegrityError`. */
export function requireDigest(bytes: Uint8Array, digest: string): void {
  const [algorithm = '', expected = ''] = digest.split(':', 2);
  const actual = hash(algorithm, bytes, 'hex');
  if (actual !== expected) throw new IntegrityError('digest', digest, `${algorithm}:${actual}`);
}

/** The root that a held row is, by its path alone. */
export function rootAt(format: AnyFormat, path: string): IndexTarget | undefined {
  const site = { base: '', options: {} };
  const target = format.parse({ method: 'GET', path, query: '', accept: undefined }, site);
  return target?.kind === 'index' && target.opaque === true && target.digest === undefined ? target : undefined;
}

/** What is known of a document besides its bytes. */
export function described({
  type,
  url,
  ...sent
}: Pick<ObjectRow, 'type' | 'url' | 'lastModified' | 'link'>): Omit<RawDocument, 'bytes'> {
  const { lastModified, link } = sent;
  return {
    type,
    url,
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(link === undefined ? {} : { link }),
  };
}

export function typeOf(headers: Readonly<Record<string, string>>): string {
  return headers['content-type'] ?? 'application/octet-stream';
}

export function sentWith(headers: Readonly<Record<string, string>>): Pick<RawDocument, 'lastModified' | 'link'> {
  const { 'last-modified': lastModified, link } = headers;
  return { ...(lastModified === undefined ? {} : { lastModified }), ...(link === undefined ? {} : { link }) };
}

/** Bytes of the body as it comes; undefined: the upstream does not say. */
export function lengthOf({ headers }: UpstreamResponse): number | undefined {
  const { 'content-length': length, 'content-encoding': encoding } = headers;
  return length !== undefined && /^\d+$/.test(length) && encoding === undefined ? Number(length) : undefined;
}

/** What is said with a file that is here. */
export function servedAs({
  type,
  tag,
  digest,
  freshUntil,
  lastModified,
}: ObjectRow): Pick<ObjectRow, 'type' | 'tag' | 'digest' | 'freshUntil'> & { readonly lastModified?: string } {
  return { type, tag, digest, freshUntil, ...(lastModified === undefined ? {} : { lastModified }) };
}
