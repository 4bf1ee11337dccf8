import type { S3Address } from '../store/s3-address.ts';
import { fileIn, flag } from './settings-parse.ts';

/** Keys that the address does not name are empty. */
export type StorageAt =
  | { readonly kind: 'file'; readonly path?: string }
  | { readonly kind: 's3'; readonly address: S3Address };

type Variables = Readonly<Record<string, string | undefined>>;

const S3_HELP = 'must be s3://bucket?endpoint=https://host:port&region=name';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]+\/?$/;
const OPTIONS = ['endpoint', 'region', 'path_style'];

/** `storage_url`. Throws `RangeError` without a word of what was given: it may hold a key. */
export function storage(text: string, folder: string): StorageAt {
  if (text.startsWith('s3:')) return { kind: 's3', address: s3(text) };
  const file = fileIn(text, 'file', folder);
  if (file === undefined) throw new RangeError('must be file:, file:<folder> or s3://bucket');
  return { kind: 'file', ...file };
}

/** The keys of a bucket may come from where every program of AWS looks for them. */
export function withKeysOf(address: S3Address, env: Variables): S3Address {
  const { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (address.accessKey !== '' || !accessKey || !secretKey) return address;
  return { ...address, accessKey, secretKey, ...(sessionToken ? { sessionToken } : {}) };
}

function s3(text: string): S3Address {
  if (!URL.canParse(text) || !text.startsWith('s3://'))
    throw new RangeError(`${S3_HELP}; a key in it is written with %2F for / and %2B for +`);
  const { hostname: bucket, port, pathname, searchParams: given, username, password, hash } = new URL(text);
  if (!BUCKET.test(bucket) || port !== '' || hash !== '') throw new RangeError(`${S3_HELP}, with the name of a bucket`);
  const prefix = pathname.replace(/^\//, '');
  if (prefix !== '' && !PREFIX.test(prefix))
    throw new RangeError('has a prefix with something else than A-Za-z0-9._-/');
  const unknown = [...given.keys()].find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined)
    throw new RangeError(`takes ${OPTIONS.join(', ')} after the question mark and nothing else`);
  if ((username === '') !== (password === ''))
    throw new RangeError('has one half of a key: write s3://key:secret@bucket');
  const region = given.get('region') ?? 'us-east-1';
  if (!/^[a-z0-9-]+$/.test(region)) throw new RangeError('has a region that is none');
  const endpoint = given.get('endpoint');
  const pathStyle = given.get('path_style');
  return {
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    endpoint: endpoint === null ? `https://s3.${region}.amazonaws.com` : originOf(endpoint),
    region,
    pathStyle: pathStyle === null ? endpoint !== null : flag(pathStyle),
    accessKey: decodeURIComponent(username),
    secretKey: decodeURIComponent(password),
  };
}

function originOf(text: string): string {
  if (!/^https?:\/\/[^\s/?#@]+\/?$/.test(text) || !URL.canParse(text))
    throw new RangeError('has an endpoint that is none: write one such as https://s3.example.com:9000');
  return new URL(text).origin;
}
