import { createHash, randomBytes } from 'node:crypto';
import type { Reply } from '../../support/fake-upstream-answer.ts';

/** What a suite about rules needs of a format: one package, of which releases appear, age and change. */
export interface PackageSample {
  /** Of the package, without a version. */
  readonly purl: string;
  /** Other spellings of it. */
  readonly same: readonly string[];
  /** Of other packages, whatever they look like. */
  readonly others: readonly string[];
  /** What a remote's spec needs, so that rules know the package. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Listings have times of the releases' authors, which count where the upstream says nothing. */
  readonly believesAuthors?: true;
  /** The release `1.<minor>.9`, of bytes that nothing else has. */
  release(minor: number, when?: When): SampleRelease;
  /** All that the upstream says when it has these releases, the newest last; its own address is written `https://upstream.test`. */
  upstream(releases: readonly SampleRelease[]): Readonly<Record<string, Reply>>;
  /** Publishes `1.<minor>.9`, of bytes that nothing else has; absent: it cannot be published to. */
  publish?(minor: number): Upload;
  /** The listing that a client begins with; none where clients know what they want. */
  readonly listing: readonly SampleIndex[];
  /** Every document that may name the release. */
  indexes(release: SampleRelease): readonly SampleIndex[];
}

/** Epoch milliseconds. */
export interface When {
  /** By the upstream's word, in the way of the format; absent: it says nothing. */
  readonly at?: number;
  /** By an author's, where the format has such times. */
  readonly authored?: number;
}

/** What a client sends to publish a file, and the file as it is served then. */
export interface Upload {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | FormData;
  readonly version: string;
  readonly file: Pick<SampleFile, 'path' | 'bytes'>;
}

export interface SampleIndex {
  readonly path: string;
  readonly accept?: string;
}

export interface SampleRelease extends When {
  /** As package URLs have it. */
  readonly version: string;
  /** What every document that names the release has in it. */
  readonly mark: string;
  readonly file: SampleFile;
  /** What else is the release's: checksums, signatures, metadata, layers. */
  readonly beside: readonly SampleFile[];
  /** Further addresses of the file. */
  readonly aliases: readonly string[];
}

export interface SampleFile {
  /** Below the repository. */
  readonly path: string;
  /** Where the upstream has it. */
  readonly upstream: string;
  readonly bytes: Buffer;
  readonly type: string;
  /** It is a document too, which says what it consists of. */
  readonly isRead?: true;
}

export const OCTETS = 'application/octet-stream';

/** More than is checked before its first byte is sent. */
export const manyBytes = (): Buffer => randomBytes(70_000);

/** Random text, of which no two are alike. */
export const text = (what: string): Buffer => Buffer.from(`${what} ${randomBytes(24).toString('base64')}\n`);

export const versionOf = (minor: number): string => `1.${minor}.9`;

/** The upstream's answers to requests for the files of a release. */
export function filesOf({ file, beside }: Pick<SampleRelease, 'file' | 'beside'>, at?: number): Record<string, Reply> {
  return Object.fromEntries([file, ...beside].map((one) => [one.upstream, replied(one.bytes, one.type, at)]));
}

export function replied(body: string | Uint8Array, type: string, at?: number): Reply {
  const etag = createHash('sha1').update(body).digest('hex');
  const dated = at === undefined ? {} : { lastModified: new Date(at).toUTCString() };
  return { body, headers: { 'content-type': type }, etag: `${etag}${at ?? ''}`, ...dated };
}

export const hex = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');
